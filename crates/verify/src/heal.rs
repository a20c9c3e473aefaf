//! Makes a configuration acceptable on this machine, without a change to what it says: files that only its own machine
//! has get stand-ins, host names that do not resolve become addresses, accounts become root.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use lbcheck::dialect::Dialect;

use crate::base::Base;
use crate::classify::{Outside, Refusal, refusals};
use crate::program::Program;

/// Rounds of mending; HAProxy names every missing file at once, nginx and Envoy one at a time.
const ROUNDS: usize = 24;

/// nginx directives whose path is opened for writing: never let it write outside of the run's own folder.
const WRITTEN: [&str; 13] = [
    "access_log",
    "client_body_temp_path",
    "error_log",
    "fastcgi_cache_path",
    "fastcgi_temp_path",
    "lock_file",
    "pid",
    "proxy_cache_path",
    "proxy_temp_path",
    "scgi_temp_path",
    "ssl_session_ticket_key",
    "uwsgi_cache_path",
    "uwsgi_temp_path",
];

/// Files that stand in for those of other machines.
pub struct StandIns {
    folder: PathBuf,
}

impl StandIns {
    /// Makes them in a folder. The certificate is made by `openssl`.
    ///
    /// # Errors
    ///
    /// `openssl` is missing or fails, or the folder cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = |name: &str| folder.join(name);
        let status = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=stand-in"])
            .arg("-keyout")
            .arg(path("key.pem"))
            .arg("-out")
            .arg(path("cert.pem"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("openssl is needed for a certificate")?;
        if !status.success() {
            bail!("openssl made no certificate");
        }
        let both = [std::fs::read(path("cert.pem"))?, std::fs::read(path("key.pem"))?].concat();
        std::fs::write(path("combined.pem"), both)?;
        std::fs::write(path("page.http"), "HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\n\r\n")?;
        std::fs::write(path("empty"), "")?;
        std::fs::create_dir_all(path("folder"))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The stand-in for a missing file, chosen by what the program says of it.
    fn choose(&self, dialect: Dialect, path: &str, message: &str) -> PathBuf {
        let says = |words: &[&str]| words.iter().any(|word| message.to_lowercase().contains(word));
        let name = if says(&["private key", "_key", "certificate key"]) || path.ends_with(".key") {
            "key.pem"
        } else if says(&["certificate", "cert", "ca-file", "ca file", "bundle", "pem"]) {
            if dialect == Dialect::HaProxy { "combined.pem" } else { "cert.pem" }
        } else if path.ends_with(".http") || says(&["custom error message", "errorfile"]) {
            "page.http"
        } else if says(&["chroot", "chdir", "directory"]) {
            "folder"
        } else {
            "empty"
        };
        self.folder.join(name)
    }
}

/// A base that the program accepts, or why there is none.
#[derive(Clone, Debug)]
pub enum Healed {
    /// It is accepted in this form.
    Accepted(Base),
    /// It is refused, and for this reason.
    Refused(Refusal),
}

/// Runs the program and mends what does not lie in the file until it accepts the base.
///
/// # Errors
///
/// The program cannot be run, or refuses without a word that is understood.
pub fn heal(program: &Program, mut base: Base, stand_ins: &StandIns, folder: &Path) -> Result<Healed> {
    if program.dialect == Dialect::Nginx
        && let Some(text) = base.text()
    {
        let text = written_inside(text, &stand_ins.folder);
        base.set_text(text);
    }
    for _ in 0..ROUNDS {
        place(&base, folder)?;
        let main = folder.join(&base.main);
        let answer = program.validate(&main, folder, &base.variables)?;
        if answer.accepted {
            return Ok(Healed::Accepted(base));
        }
        let found = refusals(program.dialect, &answer.said, &main.display().to_string());
        if let Some(inside) = found.iter().find(|refusal| refusal.outside.is_none()) {
            return Ok(Healed::Refused(inside.clone()));
        }
        let Some(first) = found.first().cloned() else {
            bail!("{} is refused without a reason: {}", base.name, answer.said);
        };
        let mut mended = false;
        for refusal in found {
            mended |= mend(program.dialect, &mut base, &refusal, stand_ins);
        }
        if !mended {
            return Ok(Healed::Refused(first));
        }
    }
    bail!("{} is refused for ever new reasons", base.name)
}

/// Writes the files of a base into a folder.
///
/// # Errors
///
/// The folder cannot be written.
pub fn place(base: &Base, folder: &Path) -> Result<()> {
    for (name, content) in &base.files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, content)?;
    }
    // What nginx is configured to write by default is relative to its prefix.
    std::fs::create_dir_all(folder.join("logs"))?;
    Ok(())
}

/// Takes one reason away. `false`: it cannot be.
fn mend(dialect: Dialect, base: &mut Base, refusal: &Refusal, stand_ins: &StandIns) -> bool {
    let Some(text) = base.text().map(str::to_owned) else { return false };
    let message = &refusal.message;
    let named =
        quoted(message).into_iter().filter(|word| text.contains(word.as_str())).max_by_key(String::len);
    let new = match refusal.outside {
        Some(Outside::File) => named.map(|path| {
            let stand_in = stand_ins.choose(dialect, &path, message);
            text.replace(&path, &stand_in.display().to_string())
        }),
        Some(Outside::Name) => {
            named.map(|name| text.replace(name.split(':').next().unwrap_or(&name), "127.0.0.1"))
        }
        Some(Outside::Account) => named.map(|name| replace_word(&text, &name, "root")),
        _ => None,
    };
    match new {
        Some(new) if new != text => {
            base.set_text(new);
            true
        }
        _ => false,
    }
}

/// The words of a message that may be names out of the file: what stands in quotes, and paths.
fn quoted(message: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for quote in ['\'', '"'] {
        words.extend(message.split(quote).skip(1).step_by(2).map(str::to_owned));
    }
    let bare = message.split(|character: char| character.is_whitespace() || "'\"(),".contains(character));
    words.extend(bare.map(|word| word.trim_end_matches([':', '.']).to_owned()).filter(|word| word.len() > 2));
    words.retain(|word| {
        !word.is_empty()
            && (word.contains(['/', '.'])
                || message.contains(&format!("'{word}'"))
                || message.contains(&format!("\"{word}\"")))
    });
    words
}

fn replace_word(text: &str, old: &str, new: &str) -> String {
    let separators = |character: char| character.is_whitespace() || character == ';';
    text.split_inclusive(separators)
        .map(|part| {
            let word = part.trim_end_matches(separators);
            if word == old { format!("{new}{}", &part[word.len()..]) } else { part.to_owned() }
        })
        .collect()
}

/// An nginx text whose logs, caches and the like lie in `folder`, one file a path.
fn written_inside(text: &str, folder: &Path) -> String {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut new = String::new();
    for line in text.split_inclusive('\n') {
        let mut words = line.split_whitespace();
        let directive = words.next().unwrap_or_default();
        let path = words.next().map(|word| word.trim_end_matches(';')).filter(|path| path.starts_with('/'));
        match path {
            Some(path) if WRITTEN.contains(&directive) && path != "/dev/null" => {
                let next = known.len();
                let number = *known.entry(path.to_owned()).or_insert(next);
                let inside = folder.join(format!("written-{number}")).display().to_string();
                new.push_str(&line.replacen(path, &inside, 1));
            }
            _ => new.push_str(line),
        }
    }
    new
}
