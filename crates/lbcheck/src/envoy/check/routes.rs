//! What Envoy refuses in routes and chains of filters although types and rules are kept.

use super::super::tree::Value;
use super::Check;

/// Network filters that end a chain, and some that cannot.
const TERMINAL: [&str; 8] = [
    "direct_response",
    "dubbo_proxy",
    "echo",
    "generic_proxy",
    "http_connection_manager",
    "redis_proxy",
    "tcp_proxy",
    "thrift_proxy",
];
const PASSING: [&str; 10] = [
    "connection_limit",
    "ext_authz",
    "local_ratelimit",
    "mongo_proxy",
    "ratelimit",
    "rbac",
    "set_filter_state",
    "sni_cluster",
    "sni_dynamic_forward_proxy",
    "zookeeper_proxy",
];
/// HTTP filters that may end a chain, or of which it cannot be told.
const MAY_END: [&str; 6] =
    ["composite", "dynamic_modules", "filter_chain", "golang", "match_delegate", "router"];

impl<'t> Check<'_, 't> {
    pub(super) fn route_action(&mut self, action: Value<'t>) {
        let rewrites = ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy"];
        let written =
            |name: &&str| action.get(name).is_some_and(|value| !value.string().is_some_and(str::is_empty));
        if let Some(second) = rewrites.iter().filter(|name| written(name)).nth(1)
            && let Some(field) = action.field(second)
        {
            let message =
                "a route takes only one of `prefix_rewrite`, `regex_rewrite` and `path_rewrite_policy`";
            self.refuse(field.key_span, message.into(), "keep one of them");
        }
        self.upgrades(action);
        for upgrade in action.list("upgrade_configs") {
            let kind = upgrade.text_of("upgrade_type").unwrap_or_default();
            if let Some(connect) =
                upgrade.field("connect_config").filter(|_| !kind.eq_ignore_ascii_case("CONNECT"))
            {
                let message =
                    format!("the upgrade `{kind}` has a `connect_config`, which only CONNECT takes");
                self.refuse(connect.key_span, message, "remove it");
            }
        }
    }

    /// An upgrade is named once.
    pub(super) fn upgrades(&mut self, holder: Value<'t>) {
        let mut seen: Vec<String> = Vec::new();
        for kind in holder.list("upgrade_configs").filter_map(|upgrade| upgrade.get("upgrade_type")).take(100)
        {
            let name = kind.text().to_ascii_lowercase();
            if seen.contains(&name) {
                let message = format!("the upgrade `{}` is configured twice", kind.text());
                self.refuse(kind.span(), message, "keep one of them");
            }
            seen.push(name);
        }
    }

    /// The first of two durations must not be longer than the second.
    pub(super) fn ordered(&mut self, holder: Value<'t>, least: &str, most: &str, default: Option<u64>) {
        let Some(high) = holder.get(most) else { return };
        let low = holder.get(least).and_then(Value::duration).or(default.map(std::time::Duration::from_secs));
        if let (Some(low), Some(value)) = (low, high.duration())
            && value < low
        {
            let message = format!("`{most}` is shorter than `{least}`, which is {}s", low.as_secs_f64());
            self.refuse(high.span(), message, "");
        }
    }

    /// Headers that routes may neither set nor remove.
    pub(super) fn route_headers(&mut self, holder: Value<'t>) {
        let fixed = |name: &str| name.starts_with(':') || name.eq_ignore_ascii_case("host");
        for list in ["request_headers_to_add", "response_headers_to_add"] {
            for header in holder.list(list).filter_map(|option| option.get("header")) {
                if let Some(key) = header.get("key").filter(|key| key.string().is_some_and(fixed)) {
                    let message = format!("`{}` cannot be set by a route: Envoy refuses it", key.text());
                    self.refuse(key.span(), message, "use a rewrite of the path or the host instead");
                }
                if let Some(value) = header.get("value") {
                    self.format(value);
                }
            }
        }
        for list in ["request_headers_to_remove", "response_headers_to_remove"] {
            for name in holder.list(list).filter(|name| name.string().is_some_and(fixed)) {
                let message = format!("`{}` cannot be removed by a route: Envoy refuses it", name.text());
                self.refuse(name.span(), message, "");
            }
        }
    }

    /// A text with `%COMMAND(…):LENGTH%` in it. Which commands there are depends on the build.
    pub(super) fn format(&mut self, value: Value<'t>) {
        let Some(text) = value.string() else { return };
        if let Some(at) = broken_command(text) {
            let shown: String = text.get(at..).unwrap_or_default().chars().take(30).collect();
            let message = format!("`{shown}` does not begin with a command such as `%PROTOCOL%`");
            self.refuse(value.span(), message, "write `%%` for a percent sign");
        }
    }

    /// The HTTP filters of a connection manager: the router comes last.
    pub(super) fn http_filters(&mut self, manager: Value<'t>) {
        self.chain(
            manager.list("http_filters"),
            "envoy.extensions.filters.http.",
            |family, last| match last {
                true => !MAY_END.contains(&family),
                false => family == "router",
            },
        );
    }

    /// The network filters of a filter chain: the one that answers comes last.
    pub(super) fn network_filters(&mut self, chain: Value<'t>) {
        self.chain(chain.list("filters"), "envoy.extensions.filters.network.", |family, last| match last {
            true => PASSING.contains(&family),
            false => TERMINAL.contains(&family),
        });
    }

    /// Reports filters that stand where `misplaced` says they cannot: at the end, or before it.
    fn chain(
        &mut self,
        filters: impl Iterator<Item = Value<'t>>,
        package: &str,
        misplaced: impl Fn(&str, bool) -> bool,
    ) {
        let mut filters = filters.filter(|filter| !filter.is_set("disabled")).peekable();
        while let Some(filter) = filters.next() {
            let last = filters.peek().is_none();
            let kind = filter.get("typed_config").and_then(Value::type_name);
            let family = kind.and_then(|kind| kind.strip_prefix(package)?.split('.').next());
            let Some(family) = family.filter(|family| misplaced(family, last)) else { continue };
            let (message, help) = match last {
                true => (
                    format!(
                        "the filter {family} passes on what comes in, so it cannot be the last of the chain"
                    ),
                    "end the chain with a filter that answers or forwards",
                ),
                false => {
                    (format!("the filter {family} ends the chain, so no other can follow it"), "put it last")
                }
            };
            self.refuse(filter.span_of("name"), message, help);
        }
    }

    /// A wildcard of a server name stands for whole labels.
    pub(super) fn server_names(&mut self, rule: Value<'t>) {
        for name in rule.list("server_names") {
            let text = name.string().unwrap_or_default();
            if text.strip_prefix("*.").unwrap_or(text).contains('*') {
                let message = format!("`{text}` has a wildcard that is not a whole label at its beginning");
                self.refuse(name.span(), message, "write it as `*.example.com`");
            }
        }
    }
}

/// Where a percent sign starts no command.
fn broken_command(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('%')) {
        let start = at + found;
        let rest = text.get(start + 1..).unwrap_or_default();
        if rest.starts_with('%') {
            at = start + 2;
            continue;
        }
        let name = rest
            .find(|letter: char| !(letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'));
        let name = name.filter(|length| *length > 0);
        let mut rest = name.and_then(|length| rest.get(length..));
        if let Some(inside) = rest.and_then(|rest| rest.strip_prefix('(')) {
            rest = inside.find(')').and_then(|end| inside.get(end + 1..));
            // The parameter may have parentheses of its own: the last ones before a percent sign count.
            while let Some(after) = rest.filter(|after| !after.starts_with(['%', ':'])) {
                rest = after.find(')').and_then(|end| after.get(end + 1..));
            }
        }
        if let Some(length) = rest.and_then(|rest| rest.strip_prefix(':')) {
            let digits = length.bytes().take_while(u8::is_ascii_digit).count();
            rest = length.get(digits..).filter(|_| digits > 0);
        }
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix('%')) else { return Some(start) };
        at = text.len() - rest.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_closed() {
        for good in
            ["", "a", "50%%", "%PROTOCOL%", "%REQ(:path)%", "%REQ(a?b):10% x", "%START_TIME(%s)%", "%A(b)c)%"]
        {
            assert_eq!(broken_command(good), None, "{good}");
        }
        for (bad, at) in [("50%", 2), ("%REQ(a", 0), ("%REQ(a):x%", 0), ("%req%", 0), ("%A%%", 3), ("% %", 0)]
        {
            assert_eq!(broken_command(bad), Some(at), "{bad}");
        }
    }
}
