//! What text `balance` hashes.

pub(super) fn of(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let rest: Vec<&str> = words.collect();
    if first == "uri" {
        let mut said = match rest.contains(&"whole") {
            true => "the path with its query string".to_owned(),
            false => "the path without query string".to_owned(),
        };
        if rest.contains(&"len") || rest.contains(&"depth") {
            said.push_str(", as far as `len` and `depth` leave it");
        }
        return Some(said);
    }
    if rest.contains(&"use_domain_only") {
        return Some(format!("what `use_domain_only` leaves of `{first}`: `example` of www.example.com"));
    }
    (first == "hash" && rest.iter().any(|word| word.contains(',')))
        .then(|| format!("the result of `{}`", rest.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_haproxy_in_words() {
        assert_eq!(of("uri").as_deref(), Some("the path without query string"));
        assert_eq!(
            of("uri whole len 10").as_deref(),
            Some("the path with its query string, as far as `len` and `depth` leave it")
        );
        assert!(of("hdr(host) use_domain_only").is_some());
        assert_eq!(of("hdr(x-user)"), None);
        assert_eq!(of("url_param id"), None);
    }
}
