//! Who is let in: `allow` and `deny`, passwords, and `limit_except`.
//!
//! nginx asks for the address first, then for a password, then another server (`auth_request`). With `satisfy any` one of
//! them is enough, and the answer to who has none is 401 rather than 403.

use super::request_step::{RequestStep, all, not};
use super::scope::Scope;
use super::state::Lower;
use crate::model::{Condition, Match, TextMatch};
use crate::nginx::syntax::NodeId;
use crate::nginx::values;

/// `allow` and `deny` that are spelt out in each location.
const MAX_ACCESS: usize = 32;

/// What `allow` and `deny` say of a client.
struct Addresses {
    /// When one is turned away, each with its `deny`.
    denied: Vec<(Condition, NodeId)>,
    /// When an `allow` holds before any `deny`.
    allowed: Condition,
}

impl Lower<'_> {
    /// The steps that turn a request away, after the rewrites and before whatever answers.
    pub(super) fn guards(&mut self, scope: &Scope) -> Vec<RequestStep> {
        let addresses = self.addresses(scope);
        let mut steps = Vec::new();
        let password = self.password(scope);
        let asked = scope.auth_request.filter(|&id| self.tree.arg(id, 0) != Some("off"));
        let other = scope.other_auth.filter(|&id| self.tree.arg(id, 0) != Some("off"));
        let elsewhere = password.is_some() || asked.is_some() || other.is_some();
        if !scope.satisfy_any || !elsewhere {
            for (when, id) in addresses.denied {
                steps.push(self.failing(when, 403, "deny", id, scope));
            }
        }
        let outside = match (scope.satisfy_any, addresses.allowed) {
            (false, _) | (true, Condition::Never) => Condition::Always,
            (true, allowed) => not(allowed),
        };
        // With `satisfy any` a good password is enough, and so is a good answer from elsewhere.
        let unsure = |lower: &Self, id: NodeId, status: u16| {
            Condition::Opaque(format!("`{}` refuses it with {status}", lower.text(id)))
        };
        let later = asked.or(other);
        if let Some((wrong, id)) = password {
            let mut when = vec![outside.clone(), wrong];
            when.extend(later.filter(|_| scope.satisfy_any).map(|id| unsure(self, id, 401)));
            steps.push(self.failing(all(when), 401, "auth_basic", id, scope));
            if scope.satisfy_any {
                return steps;
            }
        }
        if let Some(id) = asked {
            for status in [401, 403, 500] {
                let unsure = match status {
                    500 => Condition::Opaque(format!("`{}` fails", self.text(id))),
                    status => unsure(self, id, status),
                };
                let when = all(vec![outside.clone(), unsure]);
                steps.push(self.failing(when, status, "auth_request", id, scope));
            }
        }
        if let Some(id) = other {
            let when = all(vec![outside, unsure(self, id, 401)]);
            steps.push(self.failing(when, 401, "authentication", id, scope));
        }
        steps
    }

    /// When `auth_basic` refuses a request.
    fn password(&self, scope: &Scope) -> Option<(Condition, NodeId)> {
        let id = scope.auth_basic.filter(|_| scope.password_file)?;
        let realm = self.tree.arg(id, 0)?;
        if realm == "off" {
            return None;
        }
        let basic = TextMatch::IgnoreCase(Box::new(TextMatch::Prefix("basic ".to_owned())));
        let given = Condition::Is(Match::Header("authorization".to_owned(), basic));
        let wrong = Condition::Opaque("name and password are not in the password file".to_owned());
        let mut when = vec![Condition::Any(vec![not(given), wrong])];
        if values::has_variable(realm) {
            when.insert(0, Condition::Opaque(format!("`{realm}` is not off")));
        }
        Some((all(when), id))
    }

    /// `allow` and `deny`, in order until one holds.
    fn addresses(&self, scope: &Scope) -> Addresses {
        let mut found = Addresses { denied: Vec::new(), allowed: Condition::Never };
        let Some(&first) = scope.access.first() else { return found };
        if scope.access.len() > MAX_ACCESS {
            // Every location has the rules of the blocks around it, so long lists are not spelt out in each.
            let text = format!("one of {} `allow` and `deny`", scope.access.len());
            found.allowed = not(Condition::Opaque(text.clone()));
            found.denied.push((Condition::Opaque(text), first));
            return found;
        }
        let (mut denied, mut allowed) = (Vec::new(), Vec::new());
        let mut let_in = Vec::new();
        for &id in scope.access.iter() {
            let from = match self.tree.arg(id, 0).unwrap_or_default() {
                "all" => Condition::Always,
                "unix:" => Condition::Opaque("the client comes over a UNIX socket".to_owned()),
                network => Condition::Is(Match::Source(network.to_owned())),
            };
            let everyone = from == Condition::Always;
            let denies = self.tree.name(id) == "deny";
            let before: &Vec<Condition> = if denies { &allowed } else { &denied };
            let mut when = Vec::new();
            if !before.is_empty() {
                when.push(not(Condition::Any(before.clone())));
            }
            when.push(from.clone());
            let when = all(when);
            if denies {
                found.denied.push((when, id));
                denied.push(from);
            } else {
                let_in.push(when);
                allowed.push(from);
            }
            if everyone {
                break;
            }
        }
        found.allowed = match let_in.len() {
            0 => Condition::Never,
            1 => let_in.remove(0),
            _ => Condition::Any(let_in),
        };
        found
    }

    /// `limit_except`: what other methods than those it names get. It is another location to nginx, which inherits the
    /// handler of the one around it, but neither its rewrites nor its `try_files`.
    pub(super) fn limit_except(&mut self, block: Option<NodeId>, scope: &Scope) -> Vec<RequestStep> {
        let mut steps = Vec::new();
        for id in self.tree.children(block) {
            if self.tree.name(id) != "limit_except" || !self.tree.nodes[id].block {
                continue;
            }
            let mut methods: Vec<Condition> = Vec::new();
            for method in self.tree.values(id) {
                let is = |name: &str| Condition::Is(Match::Method(TextMatch::Exact(name.to_owned())));
                // The names are read without regard to case, those of requests are not.
                let method = method.to_ascii_uppercase();
                methods.push(is(&method));
                if method == "GET" {
                    methods.push(is("HEAD"));
                }
            }
            let when = not(Condition::Any(methods));
            let inner = scope.extended(self.tree, Some(id));
            let guards = self.guards(&inner);
            steps.extend(guards.into_iter().map(|step| step.only(&when)));
            let own = self.handler(Some(id), &inner, true);
            let handler = own.or_else(|| self.inherited_handler(block, &inner));
            match handler {
                Some(handler) => {
                    steps.push(RequestStep::Route(handler.route(when, self.text(id), self.tree.header(id))));
                }
                None => steps.extend(self.file_steps(&inner, id).into_iter().map(|step| step.only(&when))),
            }
        }
        steps
    }
}
