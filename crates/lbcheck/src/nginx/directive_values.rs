//! Values that directives with code of their own refuse.

use super::arguments;
use super::directives::{Directive, Vendor};
use super::grammar::LEAST_ZONE;
use super::regex;
use super::syntax::{NodeId, Tree, Word};
use super::values;
use crate::diagnostic::{Diagnostic, RuleId, Severity, suggest};
use crate::dialect::Version;

/// The methods nginx has a number for.
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "MKCOL",
    "COPY",
    "MOVE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "PATCH",
];

/// Levels of `error_log`; the `debug_` ones choose what is logged.
const LEVELS: &[&str] = &["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

/// Checks a directive whose place and number of arguments are right.
pub(super) fn check(tree: &Tree, id: NodeId, directive: &Directive, version: Version) -> Vec<Diagnostic> {
    let mut checker = DirectiveValueChecker { tree, diagnostics: Vec::new() };
    // What a template will give is not known yet.
    if tree.args(id).iter().any(|word| values::is_placeholder(tree.value(word))) {
        return Vec::new();
    }
    checker.expressions(id);
    checker.diagnostics.append(&mut arguments::check(tree, id, directive.module, version));
    if directive.vendor == Vendor::Nginx {
        checker.values(id, directive, version);
    }
    checker.diagnostics
}

struct DirectiveValueChecker<'a> {
    tree: &'a Tree,
    diagnostics: Vec<Diagnostic>,
}

impl DirectiveValueChecker<'_> {
    fn invalid(&mut self, word: &Word, message: String, help: &str) {
        let diagnostic = Diagnostic::new(RuleId::InvalidValue, Severity::Error, word.span, message);
        self.diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// Regular expressions that certainly do not compile.
    fn expressions(&mut self, id: NodeId) {
        let args = self.tree.args(id);
        let value = |word: &Word| self.tree.value(word);
        let patterns: Vec<(&Word, &str)> = match (self.tree.name(id), args) {
            ("location", [modifier, word]) if matches!(value(modifier), "~" | "~*") => {
                vec![(word, value(word))]
            }
            ("location", [word]) => {
                let glued = value(word).strip_prefix("~*").or(value(word).strip_prefix('~'));
                glued.map(|pattern| (word, pattern)).into_iter().collect()
            }
            ("rewrite", [word, ..]) => vec![(word, value(word))],
            ("server_name", words) => {
                words.iter().filter_map(|word| Some((word, value(word).strip_prefix('~')?))).collect()
            }
            _ => return,
        };
        for (word, pattern) in patterns {
            if let Some(fault) = regex::fault(pattern) {
                self.invalid(word, format!("regular expression `{pattern}` {fault}"), "");
            }
        }
    }

    fn values(&mut self, id: NodeId, directive: &Directive, version: Version) {
        let tree = self.tree;
        let args = tree.args(id);
        let Some(first) = args.first() else { return };
        let text = tree.value(first);
        let name = directive.name;
        let refused = |text: &str| format!("`{text}` is not a value that directive `{name}` takes");
        match (name, directive.module) {
            ("set", _) if !text.starts_with('$') || text.len() < 2 => {
                self.invalid(first, format!("`{text}` is not a variable"), "write the variable with its `$`");
            }
            ("allow" | "deny", _) if text != "all" && text != "unix:" && !values::is_network(text) => {
                let help = "write `all`, an address, or a network such as `10.0.0.0/8`";
                self.invalid(first, format!("`{text}` is not a network"), help);
            }
            ("use", "event_core") if !EVENTS.contains(&text) => {
                let help = suggest(text, EVENTS.iter().copied());
                let help = format!("did you mean `{}`?", help.unwrap_or("epoll"));
                self.invalid(first, format!("`{text}` is not a method of connection processing"), &help);
            }
            ("worker_processes", _) if text != "auto" && values::number(text).is_none() => {
                self.invalid(first, refused(text), "write a whole number or `auto`");
            }
            ("worker_priority", _)
                if values::number(text.strip_prefix(['-', '+']).unwrap_or(text)).is_none() =>
            {
                self.invalid(first, refused(text), "write a whole number from -20 to 20");
            }
            ("worker_connections", _) if values::number(text).is_none_or(|number| number == 0) => {
                self.invalid(first, refused(text), "write a whole number from 1");
            }
            ("worker_cpu_affinity", _) => self.cpu_affinity(args),
            ("keepalive", "http_upstream_keepalive") => self.keepalive(args, version),
            ("limit_rate" | "limit_rate_after", _)
                if !values::has_variable(text) && values::size(text, false).is_none() =>
            {
                self.invalid(first, refused(text), "write a size such as `100k`, per second");
            }
            ("image_filter_jpeg_quality" | "image_filter_webp_quality", _)
                if !values::has_variable(text) && values::number(text).is_none_or(|quality| quality == 0) =>
            {
                self.invalid(first, refused(text), "write a whole number from 1 to 100");
            }
            ("access_log", _) => self.access_log(args),
            ("error_log", _) => self.levels(args, name),
            ("limit_except", _) => {
                for word in args {
                    let method = tree.value(word);
                    if !METHODS.iter().any(|known| known.eq_ignore_ascii_case(method)) {
                        self.invalid(word, format!("`{method}` is not a method nginx knows"), "");
                    }
                }
            }
            ("error_page", _) => self.error_page(args),
            ("expires", _) => self.expires(args),
            ("try_files", _) => {
                let code = args.last().and_then(|word| Some((word, tree.value(word).strip_prefix('=')?)));
                if let Some((word, code)) = code
                    && values::number(code).is_none_or(|code| code > 999)
                {
                    self.invalid(
                        word,
                        format!("`={code}` is not a code"),
                        "write `=` and a status up to 999",
                    );
                }
            }
            ("client_body_temp_path", _)
            | ("proxy_temp_path", _)
            | ("fastcgi_temp_path", _)
            | ("uwsgi_temp_path", _)
            | ("scgi_temp_path", _) => self.depth(args),
            ("log_format", _) => self.escaping(args),
            ("proxy_redirect", _) => self.redirect(id, args),
            ("proxy_cookie_domain" | "proxy_cookie_path" | "proxy_cookie_flags", _)
                if args.len() == 1 && text != "off" =>
            {
                self.invalid(first, refused(text), "write `off`, or what to change it to");
            }
            ("resolver", _) => self.resolver(args, version),
            ("valid_referers", _) => self.referers(args),
            ("zone", "http_upstream_zone" | "stream_upstream_zone") => {
                if let Some(word) = args.get(1) {
                    self.zone_size(word, tree.value(word));
                }
            }
            ("proxy_cache_valid" | "fastcgi_cache_valid" | "uwsgi_cache_valid" | "scgi_cache_valid", _) => {
                self.cache_valid(args)
            }
            _ => {}
        }
    }

    fn cpu_affinity(&mut self, args: &[Word]) {
        let auto = args.first().is_some_and(|word| self.tree.value(word) == "auto");
        if auto && let Some(word) = args.get(2) {
            self.invalid(word, "`auto` takes one mask of processors".to_owned(), "remove the further masks");
        }
        for word in args.iter().skip(usize::from(auto)) {
            let text = self.tree.value(word);
            if !text.bytes().all(|byte| matches!(byte, b'0' | b'1' | b' ')) {
                let help = "write a 0 or a 1 for every processor, such as `0010`";
                self.invalid(word, format!("`{text}` is not a mask of processors"), help);
            }
        }
    }

    /// Connections to keep, and since 1.29.7 `local`.
    fn keepalive(&mut self, args: &[Word], version: Version) {
        let Some(first) = args.first() else { return };
        let least = if version >= LOCAL { 0 } else { 1 };
        let text = self.tree.value(first);
        if values::number(text).is_none_or(|number| number < least) {
            let help = format!("write a whole number from {least}");
            self.invalid(first, format!("`{text}` is not a number of connections to keep"), &help);
        }
        if let Some(word) = args.get(1)
            && (self.tree.value(word) != "local" || version < LOCAL)
        {
            let message = format!("`{}` is not a parameter of directive `keepalive`", self.tree.value(word));
            self.invalid(word, message, "its only parameter is `local`, since nginx 1.29.7");
        }
    }

    /// Logs are flushed from a buffer; there must be one.
    fn access_log(&mut self, args: &[Word]) {
        let Some((first, rest)) = args.split_first() else { return };
        if self.tree.value(first) == "off" {
            if let Some(word) = rest.first() {
                let message = format!("`access_log off` takes no `{}`", self.tree.value(word));
                self.invalid(word, message, "write `access_log off` alone");
            }
            return;
        }
        let find = |keys: &[&str]| {
            rest.iter().find(|word| keys.iter().any(|key| self.tree.value(word).starts_with(key)))
        };
        if let (Some(&word), None) = (find(&["flush="]), find(&["buffer=", "gzip"])) {
            let help = "add `buffer=` and a size";
            self.invalid(&word, "`flush=` needs a buffer to flush".to_owned(), help);
        }
    }

    fn levels(&mut self, args: &[Word], name: &str) {
        let mut seen: Vec<&str> = Vec::new();
        for word in args.iter().skip(1) {
            let text = self.tree.value(word);
            if !is_level(text) {
                let message = format!("`{text}` is not a value that directive `{name}` takes");
                self.invalid(word, message, "write a level such as `warn` or `error`");
            } else if seen.contains(&text) {
                self.invalid(word, format!("log level `{text}` is given twice"), "remove one of the two");
            } else if !text.starts_with("debug_") && seen.iter().any(|seen| !seen.starts_with("debug_")) {
                self.invalid(word, format!("`{text}` is a second log level"), "keep the lowest level alone");
            }
            // There are no more levels than these.
            if seen.len() <= LEVELS.len() {
                seen.push(text);
            }
        }
    }

    /// `off`, `max`, `epoch`, a time or a time of day, and `modified` before a time.
    fn expires(&mut self, args: &[Word]) {
        let (modified, word) = match args {
            [word] => (false, word),
            [first, word] if self.tree.value(first) == "modified" => (true, word),
            [first, ..] => {
                let message =
                    format!("`{}` is not a value that directive `expires` takes", self.tree.value(first));
                return self.invalid(first, message, "the only word before the time is `modified`");
            }
            [] => return,
        };
        let text = self.tree.value(word);
        if values::has_variable(text) || !modified && matches!(text, "epoch" | "max" | "off") {
            return;
        }
        let daily = text.strip_prefix('@');
        let time = daily.unwrap_or_else(|| text.strip_prefix(['-', '+']).unwrap_or(text));
        let help = match values::time(time, false) {
            None => "write a time such as `30d`, `-1`, `@15h30m`, or `max`, `epoch` or `off`",
            Some(_) if daily.is_some() && modified => "a time of day cannot stand behind `modified`",
            Some(time) if daily.is_some() && time.as_secs() > 86_400 => "a time of day is at most 24 hours",
            Some(_) => return,
        };
        self.invalid(word, format!("`{text}` is not a value that directive `expires` takes"), help);
    }

    /// The levels of a path to temporary files make up at most ten letters.
    fn depth(&mut self, args: &[Word]) {
        let levels = args.iter().skip(1).filter_map(|word| values::number(self.tree.value(word)));
        if let (true, Some(last)) =
            (levels.clone().max() <= Some(10) && levels.sum::<u64>() > 10, args.last())
        {
            let message = "the levels of this path have more than 10 letters together".to_owned();
            self.invalid(last, message, "write fewer or smaller levels, such as `1 2`");
        }
    }

    fn escaping(&mut self, args: &[Word]) {
        let Some(word) = args.get(1) else { return };
        let Some(escape) = self.tree.value(word).strip_prefix("escape=") else { return };
        if !matches!(escape, "default" | "json" | "none") {
            let message = format!("`{escape}` is not a way to escape a log");
            self.invalid(word, message, "write `default`, `json` or `none`");
        }
    }

    /// One word is `off` or `default`, and `default` needs the `proxy_pass` it is about.
    fn redirect(&mut self, id: NodeId, args: &[Word]) {
        let [word] = args else { return };
        match self.tree.value(word) {
            "off" => {}
            "default" => {
                let parent = self.tree.nodes.get(id).and_then(|node| node.parent);
                let pass = self
                    .tree
                    .children(parent)
                    .take_while(|&other| other < id)
                    .find(|&other| self.tree.name(other) == "proxy_pass");
                let target = pass.map(|pass| self.tree.arg(pass, 0).unwrap_or_default());
                let help = match target {
                    None => "place it behind the `proxy_pass` of this block",
                    Some(target) if values::has_variable(target) => {
                        "with variables in `proxy_pass` nginx cannot know what to rewrite: write both parts"
                    }
                    Some(_) => return,
                };
                self.invalid(word, "`proxy_redirect default` has no `proxy_pass` to go by".to_owned(), help);
            }
            text => {
                let message = format!("`{text}` is not a value that directive `proxy_redirect` takes");
                self.invalid(word, message, "write what to replace and its replacement, `default` or `off`");
            }
        }
    }

    fn resolver(&mut self, args: &[Word], version: Version) {
        let mut off = [false; 2];
        let mut servers = 0;
        for word in args {
            let text = self.tree.value(word);
            if let Some(time) = text.strip_prefix("valid=") {
                if values::time(time, false).is_none() {
                    let message = format!("parameter `{text}` of directive `resolver` has an invalid value");
                    self.invalid(word, message, "write a time such as `30s`");
                }
                continue;
            }
            let family = text.strip_prefix("ipv6=").map(|value| (0, value));
            let family = family.or(text.strip_prefix("ipv4=").map(|value| (1, value)));
            if let Some((at, value)) = family.filter(|&(at, _)| at == 0 || version >= IPV4) {
                if !matches!(value, "on" | "off") {
                    let message = format!("parameter `{text}` of directive `resolver` has an invalid value");
                    self.invalid(word, message, "write `on` or `off`");
                }
                off[at] = value == "off";
                continue;
            }
            // The commercial edition counts what it asks for.
            if text.starts_with("status_zone=") {
                continue;
            }
            servers += 1;
            let fault = match values::address(text, Some(53)) {
                _ if text.contains('/') && values::strip_unix(text).is_none() => {
                    Some("a path, which it cannot have")
                }
                Ok(_) => None,
                Err(fault) => Some(fault.describe()),
            };
            if let Some(fault) = fault {
                let message = format!("resolver address `{text}` has {fault}");
                self.invalid(word, message, "write an address such as `10.0.0.53` or `[::1]:5353`");
            }
        }
        let Some(first) = args.first() else { return };
        if servers == 0 {
            let help = "write the address of a name server";
            self.invalid(first, "directive `resolver` names no server".to_owned(), help);
        }
        if off == [true, true] {
            let message = "`ipv4` and `ipv6` are both off: nothing is left to look up".to_owned();
            self.invalid(first, message, "leave one of them on");
        }
    }

    fn referers(&mut self, args: &[Word]) {
        let mut seen: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
        for word in args {
            let text = self.tree.value(word);
            let host = text.split('/').next().unwrap_or(text);
            if matches!(text, "none" | "blocked" | "server_names") {
                continue;
            }
            if let Some(pattern) = text.strip_prefix('~') {
                if let Some(fault) = regex::fault(pattern) {
                    self.invalid(word, format!("regular expression `{pattern}` {fault}"), "");
                }
                continue;
            }
            if text.is_empty() || values::bad_wildcard(host) {
                self.invalid(
                    word,
                    format!("`{text}` is not a referer"),
                    "write a host, `*.host` or `host.*`",
                );
            } else if host == text && !seen.insert(text) {
                self.invalid(word, format!("referer `{text}` is given twice"), "remove one of the two");
            }
        }
    }

    /// Codes, `=code` if wanted, and where to go.
    fn error_page(&mut self, args: &[Word]) {
        let Some((_, codes)) = args.split_last() else { return };
        let codes = match codes.split_last() {
            Some((last, before)) if !before.is_empty() && self.tree.value(last).starts_with('=') => {
                let code = self.tree.value(last).get(1..).unwrap_or_default();
                if !code.is_empty() && values::number(code).is_none() {
                    let message = format!("`={code}` is not a code that `error_page` takes");
                    self.invalid(last, message, "write `=` alone, or `=` and a status");
                }
                before
            }
            _ => codes,
        };
        for word in codes {
            let text = self.tree.value(word);
            if !values::number(text).is_some_and(|code| (300..=599).contains(&code)) {
                let help = "write codes from 300 to 599, then where to go";
                self.invalid(word, format!("`{text}` is not a code that `error_page` takes"), help);
            }
        }
    }

    fn zone_size(&mut self, word: &Word, size: &str) {
        let help = "write a size of at least 32k, such as `64k` or `10m`";
        match values::size(size, false) {
            None => self.invalid(word, format!("`{size}` is not the size of a zone"), help),
            Some(bytes) if bytes < LEAST_ZONE => {
                self.invalid(word, format!("a zone of `{size}` is too small"), help);
            }
            Some(_) => {}
        }
    }

    /// Codes or `any`, and a time.
    fn cache_valid(&mut self, args: &[Word]) {
        let Some((last, codes)) = args.split_last() else { return };
        let time = self.tree.value(last);
        if values::time(time, false).is_none() {
            self.invalid(last, format!("`{time}` is not a time"), "write a time such as `10m`");
        }
        for word in codes {
            let text = self.tree.value(word);
            if text != "any" && !values::number(text).is_some_and(|code| (100..=599).contains(&code)) {
                self.invalid(
                    word,
                    format!("`{text}` is not a status"),
                    "write `any`, or a status such as 200",
                );
            }
        }
    }
}

/// Since when `keepalive` takes `local`, and 0 to keep nothing.
const LOCAL: Version = Version { major: 1, minor: 29, patch: 7 };

/// Since when `resolver` can leave IPv4 addresses out.
const IPV4: Version = Version { major: 1, minor: 23, patch: 1 };

/// Ways to wait for connections; which of them a machine has is not in the file.
const EVENTS: &[&str] =
    &["epoll", "kqueue", "eventport", "/dev/poll", "poll", "select", "iocp", "win32_poll"];

fn is_level(text: &str) -> bool {
    LEVELS.contains(&text) || text.starts_with("debug_")
}
