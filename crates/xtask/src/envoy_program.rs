//! The API as a built Envoy has it: its program holds the descriptors of all API files it was linked with.
//!
//! The published descriptors are of some day between two releases. What a release knows, field by field, stands in its
//! program, and in older programs what came since.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;

/// Descriptors of API files, as they were encoded, by the name of the file.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The API files whose descriptors a program holds.
pub(crate) fn files(program: &Path) -> Result<Files> {
    let bytes = std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let mut files = Files::new();
    let mut at = 0;
    while let Some(found) =
        bytes.get(at..).and_then(|rest| rest.windows(7).position(|next| next == b".proto\x12"))
    {
        let end = at + found + 6;
        at = end;
        let Some((name, start)) = opening(&bytes, end) else { continue };
        let Some(file) = file(bytes.get(start..).unwrap_or_default()) else { continue };
        let longer = files.get(&name).is_none_or(|known| known.len() < file.len());
        if longer {
            files.insert(name, file);
        }
    }
    if files.is_empty() {
        bail!("{} holds no API files", program.display());
    }
    Ok(files)
}

/// The descriptors of a published set, by the name of the file.
pub(crate) fn published(set: &[u8]) -> Result<Files> {
    let mut files = Files::new();
    let mut rest = set;
    while !rest.is_empty() {
        let (tag, after) = varint(rest).context("a set is a list")?;
        let (length, after) = varint(after).context("a file has a length")?;
        let file = usize::try_from(length).ok().and_then(|length| after.get(..length));
        let file = file.filter(|_| tag == 10).context("a set is a list of files")?;
        files.insert(FileDescriptorProto::decode(file)?.name().to_owned(), file.to_vec());
        rest = after.get(file.len()..).unwrap_or_default();
    }
    Ok(files)
}

/// Files as one set, with what they need and nothing else.
pub(crate) fn set(files: &Files, wanted: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let mut waiting: Vec<&str> = files.keys().map(String::as_str).filter(|name| wanted(name)).collect();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut parsed: Vec<FileDescriptorProto> = Vec::new();
    let mut needed: Vec<String> = Vec::new();
    loop {
        while let Some(name) = waiting.pop() {
            if taken.insert(name) {
                let bytes = files.get(name).with_context(|| format!("no descriptor of {name}"))?;
                let file = FileDescriptorProto::decode(bytes.as_slice())?;
                needed.extend(file.dependency.iter().cloned());
                parsed.push(file);
            }
        }
        let Some(name) = needed.pop() else { break };
        let (name, _) = files.get_key_value(&name).with_context(|| format!("no descriptor of {name}"))?;
        waiting.push(name);
    }
    let mut out = Vec::new();
    for name in taken {
        let Some(bytes) = files.get(name) else { continue };
        out.push(10);
        let mut length = bytes.len();
        while length > 127 {
            out.push((length & 127) as u8 | 128);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
    }
    Ok(out)
}

/// The name that ends at `end`, if a descriptor begins with it, and where that begins.
fn opening(bytes: &[u8], end: usize) -> Option<(String, usize)> {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
    // A length may look like a letter of the name, so that every beginning is tried.
    for length in 6..=end.min(200) {
        let start = end - length;
        if !bytes.get(start).is_some_and(of_name) {
            return None;
        }
        let head: &[u8] = if length < 128 {
            &[10, length as u8]
        } else {
            &[10, (length & 127) as u8 | 128, (length >> 7) as u8]
        };
        if bytes.get(..start)?.ends_with(head) {
            let name = std::str::from_utf8(bytes.get(start..end)?).ok()?;
            return Some((name.to_owned(), start - head.len()));
        }
    }
    None
}

/// The descriptor that `bytes` begin with. Its fields stand in the order of their numbers; where it ends is not
/// written, so that the longest part which can be read is it.
fn file(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut ends = Vec::new();
    let (mut at, mut last) = (0, 0);
    while let Some(end) = field(bytes, at, &mut last) {
        ends.push(end);
        at = end;
    }
    ends.into_iter().rev().find_map(|end| {
        let part = bytes.get(..end)?;
        let file = FileDescriptorProto::decode(part).ok()?;
        (file.package.is_some()).then(|| part.to_vec())
    })
}

/// The end of the field at `at`, if it may be one of a file's descriptor.
fn field(bytes: &[u8], at: usize, last: &mut u64) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let (tag, after) = varint(rest)?;
    let (number, kind) = (tag >> 3, tag & 7);
    if number < *last || number == 0 || number > 14 {
        return None;
    }
    *last = number;
    let (value, behind) = varint(after)?;
    let used = rest.len() - behind.len();
    let length = match kind {
        0 => 0,
        2 => usize::try_from(value).ok()?,
        _ => return None,
    };
    let end = at.checked_add(used)?.checked_add(length)?;
    (end <= bytes.len()).then_some(end)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 127) << (7 * index);
        if *byte < 128 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}
