//! Writes Envoy's protobuf schema as static Rust tables.
//!
//! The schema is what the program of an Envoy release holds of its own API, and for what is not linked into it the
//! descriptor set inside the crate `envoy-types`, which is of some day between two releases. Only names, types and
//! validation rules are taken; no documentation text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{api_comments, envoy_extensions, envoy_program};
use anyhow::{Context, Result, bail};
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    Value,
};

/// Packages whose messages may stand in an Envoy configuration.
const PACKAGES: [&str; 3] = ["envoy.", "xds.", "udpa."];
/// Messages of these packages only annotate other messages.
const ANNOTATIONS: [&str; 3] = ["udpa.annotations.", "xds.annotations.", "envoy.annotations."];

/// The crate the schema comes from.
#[derive(Debug)]
pub(crate) struct Source {
    version: String,
    /// The version of the program.
    release: String,
    checksum: String,
    descriptors: Vec<u8>,
    /// The API files themselves: their comments say what the descriptors do not.
    protos: PathBuf,
}

/// Where the tables are kept.
pub(crate) fn output_path() -> PathBuf {
    root().join("crates/lbcheck/src/envoy/schema/tables.rs")
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Finds `envoy-types` as cargo resolved it. `offline` asks only for what is already on the machine.
///
/// `program`: the Envoy whose API it is.
pub(crate) fn locate(offline: bool, program: &Path) -> Result<Source> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root());
    if offline {
        command.arg("--offline");
    }
    let output = command.output().context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let package = metadata["packages"]
        .as_array()
        .and_then(|packages| packages.iter().find(|package| package["name"] == "envoy-types"))
        .context("cargo does not know the package envoy-types")?;
    let version = package["version"].as_str().context("a package has a version")?.to_owned();
    let manifest = package["manifest_path"].as_str().context("a package has a manifest")?;
    let protos = Path::new(manifest).with_file_name("proto");
    let file = Path::new(manifest).with_file_name("src").join("generated/types.bin");
    let descriptors = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut files = envoy_program::files(program)?;
    // Files move within their folder from day to day: a folder is taken from one of the two.
    let folder = |name: &str| name.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let folders: BTreeSet<String> = files.keys().map(|name| folder(name)).collect();
    let others = envoy_program::published(&descriptors)?;
    files.extend(others.into_iter().filter(|(name, _)| !folders.contains(&folder(name))));
    let descriptors = envoy_program::set(&files, is_api_file)?;
    let release = envoy_extensions::version(program)?;
    Ok(Source { checksum: checksum(&version)?, version, release, descriptors, protos })
}

/// Whether a file is one of Envoy's API.
pub(crate) fn is_api_file(name: &str) -> bool {
    ["envoy/", "xds/", "udpa/"].iter().any(|folder| name.starts_with(folder))
}

/// Whether a message or enum may stand in a configuration.
pub(crate) fn is_configuration(name: &str) -> bool {
    PACKAGES.iter().any(|package| name.starts_with(package))
        && !ANNOTATIONS.iter().any(|package| name.starts_with(package))
}

/// The sha256 of the package, as `Cargo.lock` pins it.
fn checksum(version: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let head = format!("name = \"envoy-types\"\nversion = \"{version}\"\n");
    let entry = lock.split("[[package]]").find(|entry| entry.trim_start().starts_with(&head));
    let line = entry.and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("checksum = ")));
    Ok(line.context("Cargo.lock pins envoy-types")?.trim_matches('"').to_owned())
}

/// The tables as Rust source.
pub(crate) fn generate(source: &Source) -> Result<String> {
    let pool = DescriptorPool::decode(source.descriptors.as_slice())?;
    let messages = reachable(&pool);
    let mut enums: BTreeMap<String, EnumDescriptor> = BTreeMap::new();
    for message in messages.values() {
        for field in message.fields() {
            if let Kind::Enum(found) = value_kind(&field) {
                enums.insert(found.full_name().to_owned(), found);
            }
        }
    }
    let comments = api_comments::read(&source.protos)?;
    let writer = Writer {
        messages: messages.keys().cloned().zip(0..).collect(),
        enums: enums.keys().cloned().zip(0..).collect(),
        categories: comments.categories,
    };
    let mut out = String::new();
    writeln!(out, "// @generated by `cargo xtask envoy-schema`. Do not edit.")?;
    writeln!(out, "//")?;
    writeln!(
        out,
        "// Source: the protobuf descriptors in the program of Envoy {}, and for what is not",
        source.release
    )?;
    writeln!(out, "// linked into it those in the crate envoy-types {},", source.version)?;
    writeln!(out, "// package sha256 {}.", source.checksum)?;
    writeln!(
        out,
        "// The descriptors describe the APIs of Envoy, cncf/xds, protoc-gen-validate and googleapis,"
    )?;
    writeln!(out, "// all under the Apache License 2.0; see NOTICE beside this file.")?;
    writeln!(out)?;
    writeln!(out, "use super::Cardinality::{{Boxed, Many, Map, One}};")?;
    writeln!(out, "use super::FieldKind::*;")?;
    writeln!(out, "use super::Rule::*;")?;
    writeln!(out, "use super::{{Enum, Message, field, old}};")?;
    writeln!(out)?;
    writeln!(out, "/// Every message by its number, sorted by name.")?;
    writeln!(out, "pub(super) static MESSAGES: &[Message] = &[")?;
    for message in messages.values() {
        writer.message(&mut out, message)?;
    }
    writeln!(out, "];\n")?;
    writeln!(out, "/// Every enum by its number, sorted by name.")?;
    writeln!(out, "pub(super) static ENUMS: &[Enum] = &[")?;
    for found in enums.values() {
        write!(out, "    Enum {{ name: {:?}, values: &[", found.full_name())?;
        let (mut old, mut gone) = (Vec::new(), Vec::new());
        for value in found.values() {
            write!(out, "({:?}, {}), ", value.name(), value.number())?;
            if is_deprecated(&value.options()) {
                old.push(value.number().to_string());
            }
            if flagged(&value.options(), "envoy.annotations.disallowed_by_default_enum") {
                gone.push(value.number().to_string());
            }
        }
        writeln!(out, "], old: &[{}], gone: &[{}] }},", old.join(", "), gone.join(", "))?;
    }
    writeln!(out, "];")?;
    writeln!(out, "\n/// Packages of extensions, sorted.")?;
    writeln!(out, "pub(super) static EXTENSIONS: &[&str] = &[")?;
    for package in &comments.extensions {
        writeln!(out, "    {package:?},")?;
    }
    writeln!(out, "];")?;
    writeln!(
        out,
        "\n/// Messages that are work in progress, and fields of other messages that are. Sorted."
    )?;
    writeln!(out, "pub(super) static UNSTABLE: &[(&str, &str)] = &[")?;
    for message in messages.values() {
        let name = message.full_name();
        let whole = in_progress(&message.parent_file().options(), "file_status")
            || in_progress(&message.options(), "message_status");
        if whole {
            writeln!(out, "    ({name:?}, \"\"),")?;
            continue;
        }
        let mut fields: Vec<FieldDescriptor> =
            message.fields().filter(|field| in_progress(&field.options(), "field_status")).collect();
        fields.sort_by(|a, b| a.name().cmp(b.name()));
        for field in fields {
            writeln!(out, "    ({name:?}, {:?}),", field.name())?;
        }
    }
    writeln!(out, "];")?;
    Ok(out)
}

/// Whether an annotation marks something as work in progress.
fn in_progress(options: &DynamicMessage, kind: &str) -> bool {
    ["xds.annotations.v3", "udpa.annotations"].iter().any(|package| {
        let status = extension(options, &format!("{package}.{kind}"));
        status.is_some_and(|status| match status {
            Value::Message(status) => {
                status.get_field_by_name("work_in_progress").as_deref() == Some(&Value::Bool(true))
            }
            _ => false,
        })
    })
}

/// The messages of the packages and everything they contain, by name.
fn reachable(pool: &DescriptorPool) -> BTreeMap<String, MessageDescriptor> {
    let wanted =
        |message: &MessageDescriptor| is_configuration(message.full_name()) && !message.is_map_entry();
    let mut queue: Vec<MessageDescriptor> = pool.all_messages().filter(wanted).collect();
    let mut found = BTreeMap::new();
    while let Some(message) = queue.pop() {
        if built_in(message.full_name()).is_some() || found.contains_key(message.full_name()) {
            continue;
        }
        for field in message.fields() {
            if let Kind::Message(inner) = value_kind(&field) {
                queue.push(inner);
            }
        }
        found.insert(message.full_name().to_owned(), message);
    }
    found
}

/// The kind of a field's value; for a map, of the values in it.
fn value_kind(field: &FieldDescriptor) -> Kind {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
        kind => kind,
    }
}

/// The messages that JSON writes in a form of their own, by our name for them, and whether they box a scalar.
fn built_in(name: &str) -> Option<(&'static str, bool)> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "Any" => ("Any", false),
        "Duration" => ("Duration", false),
        "Timestamp" => ("Timestamp", false),
        "Struct" => ("Struct", false),
        "Value" => ("Json", false),
        "ListValue" => ("JsonList", false),
        "FieldMask" => ("Text", true),
        "DoubleValue" => ("Double", true),
        "FloatValue" => ("Float", true),
        "Int32Value" => ("Int32", true),
        "Int64Value" => ("Int64", true),
        "UInt32Value" => ("UInt32", true),
        "UInt64Value" => ("UInt64", true),
        "BoolValue" => ("Bool", true),
        "StringValue" => ("Text", true),
        "BytesValue" => ("Bytes", true),
        _ => return None,
    })
}

struct Writer {
    messages: BTreeMap<String, usize>,
    enums: BTreeMap<String, usize>,
    /// Categories of the extensions that fields take, by message and field.
    categories: BTreeMap<(String, String), String>,
}

impl Writer {
    fn message(&self, out: &mut String, message: &MessageDescriptor) -> Result<()> {
        let mut oneofs: BTreeMap<String, usize> = BTreeMap::new();
        let mut required: BTreeSet<usize> = BTreeSet::new();
        for oneof in message.oneofs().filter(|oneof| !is_synthetic(oneof)) {
            let number = oneofs.len() + 1;
            oneofs.insert(oneof.name().to_owned(), number);
            if extension(&oneof.options(), "validate.required") == Some(Value::Bool(true)) {
                required.insert(number);
            }
        }
        let list: Vec<String> = required.iter().map(ToString::to_string).collect();
        let takes: Vec<String> = message
            .fields()
            .filter_map(|field| {
                let key = (message.full_name().to_owned(), field.name().to_owned());
                Some(format!("({:?}, {:?})", field.name(), self.categories.get(&key)?))
            })
            .collect();
        write!(
            out,
            "    Message {{ name: {:?}, required: &[{}], takes: &[{}], fields: &[",
            message.full_name(),
            list.join(", "),
            takes.join(", ")
        )?;
        let mut fields: Vec<FieldDescriptor> = message.fields().collect();
        fields.sort_by(|a, b| a.name().cmp(b.name()));
        if !fields.is_empty() {
            writeln!(out)?;
        }
        for field in &fields {
            let oneof = field.containing_oneof().and_then(|oneof| oneofs.get(oneof.name()).copied());
            self.field(out, field, oneof.unwrap_or(0))?;
        }
        writeln!(out, "{}] }},", if fields.is_empty() { "" } else { "    " })?;
        Ok(())
    }

    fn field(&self, out: &mut String, field: &FieldDescriptor, oneof: usize) -> Result<()> {
        // The reader derives the JSON name; a field that had another one would need a table column.
        if field.json_name() != camel_case(field.name()) {
            bail!("{} has the JSON name {}", field.full_name(), field.json_name());
        }
        let (kind, boxed) = self.kind(&value_kind(field))?;
        let cardinality = match field.cardinality() {
            _ if field.is_map() => "Map",
            Cardinality::Repeated => "Many",
            _ if boxed || is_optional(field) => "Boxed",
            _ => "One",
        };
        let call = if is_deprecated(&field.options()) { "old" } else { "field" };
        let mut rules = Vec::new();
        if flagged(&field.options(), "envoy.annotations.disallowed_by_default") {
            rules.push("Gone".to_owned());
        }
        if let Some(Value::Message(found)) = extension(&field.options(), "validate.rules") {
            read_rules(&found, &mut rules)?;
        }
        let rules = rules.join(", ");
        writeln!(out, "        {call}({:?}, {kind}, {cardinality}, {oneof}, &[{rules}]),", field.name())?;
        Ok(())
    }

    fn kind(&self, kind: &Kind) -> Result<(String, bool)> {
        Ok(match kind {
            Kind::Double => ("Double".into(), false),
            Kind::Float => ("Float".into(), false),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => ("Int32".into(), false),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => ("Int64".into(), false),
            Kind::Uint32 | Kind::Fixed32 => ("UInt32".into(), false),
            Kind::Uint64 | Kind::Fixed64 => ("UInt64".into(), false),
            Kind::Bool => ("Bool".into(), false),
            Kind::String => ("Text".into(), false),
            Kind::Bytes => ("Bytes".into(), false),
            Kind::Enum(found) => {
                let number = self.enums.get(found.full_name()).context("every enum has a number")?;
                (format!("Choice({number})"), false)
            }
            Kind::Message(found) => match built_in(found.full_name()) {
                Some((name, boxed)) => (name.into(), boxed),
                None => {
                    let number =
                        self.messages.get(found.full_name()).context("every message has a number")?;
                    (format!("Nested({number})"), false)
                }
            },
        })
    }
}

fn is_synthetic(oneof: &prost_reflect::OneofDescriptor) -> bool {
    let mut fields = oneof.fields();
    let first = fields.next();
    fields.next().is_none()
        && first.is_some_and(|field| field.field_descriptor_proto().proto3_optional.unwrap_or(false))
}

/// `optional` in proto3: a scalar that knows whether it was written.
fn is_optional(field: &FieldDescriptor) -> bool {
    field.field_descriptor_proto().proto3_optional.unwrap_or(false)
}

fn is_deprecated(options: &DynamicMessage) -> bool {
    matches!(options.get_field_by_name("deprecated").as_deref(), Some(Value::Bool(true)))
}

fn flagged(options: &DynamicMessage, name: &str) -> bool {
    extension(options, name) == Some(Value::Bool(true))
}

fn extension(options: &DynamicMessage, name: &str) -> Option<Value> {
    options.extensions().find(|(found, _)| found.full_name() == name).map(|(_, value)| value.clone())
}

/// `lb_policy` to `lbPolicy`, as protobuf derives JSON names.
fn camel_case(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                out.extend(letter.to_uppercase());
                upper = false;
            }
            _ => out.push(letter),
        }
    }
    out
}

/// The rules of a `validate.FieldRules` as Rust expressions.
fn read_rules(rules: &DynamicMessage, out: &mut Vec<String>) -> Result<()> {
    for (field, value) in rules.fields() {
        let Value::Message(inner) = value else { continue };
        for (rule, value) in inner.fields() {
            if let Some(text) = read_rule(field.name(), rule.name(), value)? {
                out.push(text);
            }
        }
    }
    Ok(())
}

fn read_rule(family: &str, rule: &str, value: &Value) -> Result<Option<String>> {
    let nested = |value: &Value| -> Result<String> {
        let mut rules = Vec::new();
        if let Value::Message(message) = value {
            read_rules(message, &mut rules)?;
        }
        Ok(rules.join(", "))
    };
    let text = match (family, rule) {
        // Rules that are written out as off.
        (_, "required" | "skip" | "ignore_empty" | "defined_only" | "unique")
            if value.as_bool() == Some(false) =>
        {
            return Ok(None);
        }
        (_, "required") => "Required".to_owned(),
        (_, "skip") => "Skip".to_owned(),
        (_, "ignore_empty") => "IgnoreEmpty".to_owned(),
        ("string", "min_len") => format!("MinLen({})", number(value)?),
        ("string", "max_len") => format!("MaxLen({})", number(value)?),
        ("string", "min_bytes") | ("bytes", "min_len") => format!("MinBytes({})", number(value)?),
        ("string", "max_bytes") | ("bytes", "max_len") => format!("MaxBytes({})", number(value)?),
        ("string", "pattern") => format!("Pattern({:?})", value.as_str().context("a pattern is text")?),
        ("string", "prefix") => format!("Prefix({:?})", value.as_str().context("a prefix is text")?),
        ("string", "suffix") => format!("Suffix({:?})", value.as_str().context("a suffix is text")?),
        ("string", "in") => {
            let values = value.as_list().context("`in` is a list")?;
            let values: Vec<String> =
                values.iter().filter_map(Value::as_str).map(|text| format!("{text:?}")).collect();
            format!("OneOf(&[{}])", values.join(", "))
        }
        ("string", "well_known_regex") => match value.as_enum_number() {
            Some(1) => "HeaderName".to_owned(),
            Some(2) => "HeaderValue".to_owned(),
            _ => return Ok(None),
        },
        ("string", "strict") if value.as_bool() == Some(false) => "Lenient".to_owned(),
        ("string", "strict") => return Ok(None),
        ("string", "uri" | "uri_ref" | "hostname" | "address" | "ip") => return Ok(None),
        ("enum", "defined_only") => "Defined".to_owned(),
        ("enum", "not_in") => {
            let values = value.as_list().context("`not_in` is a list")?;
            let values: Vec<String> =
                values.iter().filter_map(Value::as_i32).map(|number| number.to_string()).collect();
            format!("NotIn(&[{}])", values.join(", "))
        }
        ("bool", "const") => format!("Const({})", value.as_bool().unwrap_or_default()),
        ("repeated", "min_items") => format!("MinItems({})", number(value)?),
        ("repeated", "max_items") => format!("MaxItems({})", number(value)?),
        ("repeated", "unique") => "Unique".to_owned(),
        ("repeated", "items") => format!("Items(&[{}])", nested(value)?),
        ("map", "min_pairs") => format!("MinItems({})", number(value)?),
        ("map", "keys") => format!("Keys(&[{}])", nested(value)?),
        ("map", "values") => format!("Items(&[{}])", nested(value)?),
        (_, "gt") => format!("Gt({:?})", bound(value)?),
        (_, "gte") => format!("Gte({:?})", bound(value)?),
        (_, "lt") => format!("Lt({:?})", bound(value)?),
        (_, "lte") => format!("Lte({:?})", bound(value)?),
        (_, "in") if family == "any" => return Ok(None),
        _ => bail!("the rule {family}.{rule} is new: teach it to the tables"),
    };
    Ok(Some(text))
}

fn number(value: &Value) -> Result<u64> {
    value.as_u64().context("a length is a number")
}

/// A bound of a number or, in seconds, of a duration.
fn bound(value: &Value) -> Result<f64> {
    Ok(match value {
        Value::I32(number) => f64::from(*number),
        Value::I64(number) => *number as f64,
        Value::U32(number) => f64::from(*number),
        Value::U64(number) => *number as f64,
        Value::F32(number) => f64::from(*number),
        Value::F64(number) => *number,
        Value::Message(duration) => {
            let part = |name: &str| duration.get_field_by_name(name).map(|part| part.into_owned());
            let seconds = part("seconds").and_then(|part| part.as_i64()).unwrap_or(0);
            let nanos = part("nanos").and_then(|part| part.as_i32()).unwrap_or(0);
            seconds as f64 + f64::from(nanos) / 1e9
        }
        other => bail!("{other:?} is not a bound"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Skipped where the crate is not on the machine, or no Envoy of this version: the tables are checked in, so nothing
    /// else needs them.
    #[test]
    fn tables_are_fresh() {
        let Some(program) = envoy_extensions::program() else { return };
        let kept = std::fs::read_to_string(output_path()).unwrap();
        let release = envoy_extensions::version(&program).unwrap();
        if !kept.contains(&format!("the program of Envoy {release},")) {
            return;
        }
        let Ok(source) = locate(true, &program) else { return };
        assert!(kept == generate(&source).unwrap(), "run `cargo xtask envoy-schema`");
    }

    #[test]
    fn json_names_are_camel_case() {
        assert_eq!(camel_case("lb_policy"), "lbPolicy");
        assert_eq!(camel_case("http2_protocol_options"), "http2ProtocolOptions");
    }
}
