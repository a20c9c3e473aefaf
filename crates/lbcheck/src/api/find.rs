//! From paths that somebody names to configurations: which files belong together, in which language.

use std::collections::BTreeMap;

use crate::detect::{detect, is_main, looked_for, of_directory};
use crate::dialect::Dialect;
use crate::load::{FileLoader, LoadError};

/// Files of one dialect that form one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Their language.
    pub dialect: Dialect,
    /// The paths as given.
    pub paths: Vec<String>,
    /// The files they lead to, in the order the service reads them.
    pub files: Vec<String>,
}

/// Why a path leads to no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFound {
    /// The file cannot be read.
    #[error("cannot read `{0}`: {1}")]
    Unreadable(String, LoadError),
    /// The folder cannot be listed.
    #[error("cannot list `{0}`: {1}")]
    Unlistable(String, LoadError),
    /// Neither content nor name says which language it is.
    #[error("cannot tell whether `{0}` is a HAProxy, nginx or Envoy configuration")]
    Undetected(String),
    /// The folder has files of several languages.
    #[error("`{0}` holds configurations of {names}: name the files", names = .1.iter().map(|dialect| dialect.product()).collect::<Vec<_>>().join(" and "))]
    Several(String, Vec<Dialect>),
    /// The folder has no file of the language, or of any.
    #[error("there is nothing to check in `{0}`: {names}", names = looked_for(*.1))]
    Nothing(String, Option<Dialect>),
}

/// A file with the path it was given by, which may be that of its folder.
struct Part {
    given: String,
    file: String,
    /// nginx and Envoy start from one such file.
    main: bool,
}

/// Sorts paths of files and folders into configurations, by what is in them. `dialect` says which language all of them
/// are; `snippets` that none of them is a main file.
///
/// A folder is read as the service would: HAProxy's `*.cfg`, nginx's `nginx.conf`, Envoy's YAML and JSON files.
///
/// ```
/// use lbcheck::{Dialect, MemoryLoader};
///
/// let mut loader = MemoryLoader::one("conf.d/1.cfg", "frontend web\n    bind :80\n    default_backend api\n");
/// loader.files.insert("conf.d/2.cfg".to_owned(), b"backend api\n    server a 10.0.0.1:80\n".to_vec());
/// let found = lbcheck::find(&loader, &["conf.d"], None, false).expect("it is there");
/// assert_eq!(found[0].dialect, Dialect::HaProxy);
/// assert_eq!(found[0].files, ["conf.d/1.cfg", "conf.d/2.cfg"]);
/// ```
///
/// # Errors
/// Every path that leads to no configuration, and why.
pub fn find(
    loader: &dyn FileLoader,
    paths: &[impl AsRef<str>],
    dialect: Option<Dialect>,
    snippets: bool,
) -> Result<Vec<Found>, Vec<NotFound>> {
    let mut parts = BTreeMap::<Dialect, Vec<Part>>::new();
    let mut problems = Vec::new();
    for path in paths {
        let path = path.as_ref();
        match resolve(loader, path, dialect) {
            Ok((dialect, files)) => {
                parts.entry(dialect).or_default().extend(files.into_iter().map(|(file, content)| Part {
                    given: path.to_owned(),
                    main: !snippets && is_main(dialect, &content),
                    file,
                }));
            }
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(parts.into_iter().flat_map(|(dialect, parts)| divide(dialect, parts)).collect())
}

/// The configurations that files of one dialect form, as the service would read them: HAProxy takes all of them
/// as one; nginx and Envoy start from one main file. What is not a main file is a part: of the one bootstrap in
/// Envoy, where there is one, otherwise the parts are taken together.
fn divide(dialect: Dialect, parts: Vec<Part>) -> Vec<Found> {
    let mains = parts.iter().filter(|part| part.main).count();
    if mains == 0 || (mains == 1 && dialect.description().files.join_main) {
        return vec![together(dialect, parts)];
    }
    let (mains, rest): (Vec<Part>, Vec<Part>) = parts.into_iter().partition(|part| part.main);
    // Several of one folder must still be told apart.
    let several = mains.len() > 1;
    let mut found: Vec<Found> = mains
        .into_iter()
        .map(|part| {
            let given = if several { part.file.clone() } else { part.given };
            together(dialect, vec![Part { given, ..part }])
        })
        .collect();
    if !rest.is_empty() {
        found.push(together(dialect, rest));
    }
    found
}

fn together(dialect: Dialect, parts: Vec<Part>) -> Found {
    let mut found = Found { dialect, paths: Vec::new(), files: Vec::new() };
    for part in parts {
        if found.paths.last() != Some(&part.given) {
            found.paths.push(part.given);
        }
        found.files.push(part.file);
    }
    found
}

/// Files with their content.
type Files = Vec<(String, Vec<u8>)>;

/// The dialect of a path and the files it leads to.
fn resolve(
    loader: &dyn FileLoader,
    path: &str,
    told: Option<Dialect>,
) -> Result<(Dialect, Files), Vec<NotFound>> {
    let content = match loader.read(path) {
        Ok(content) => content,
        Err(LoadError::IsDirectory) => return folder(loader, path, told),
        Err(error) => return Err(vec![NotFound::Unreadable(path.to_owned(), error)]),
    };
    match told.or_else(|| detect(path, &content)) {
        Some(dialect) => Ok((dialect, vec![(path.to_owned(), content)])),
        None => Err(vec![NotFound::Undetected(path.to_owned())]),
    }
}

/// The configuration in a folder.
fn folder(
    loader: &dyn FileLoader,
    path: &str,
    told: Option<Dialect>,
) -> Result<(Dialect, Files), Vec<NotFound>> {
    let names = loader.list(path).map_err(|error| vec![NotFound::Unlistable(path.to_owned(), error)])?;
    let mut found = BTreeMap::<Dialect, Files>::new();
    let mut unreadable = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with('.')) {
        let Some(dialect) = of_directory(name).filter(|dialect| told.is_none_or(|told| told == *dialect))
        else {
            continue;
        };
        let file = format!("{}/{name}", path.trim_end_matches('/'));
        match loader.read(&file) {
            Ok(content) => found.entry(dialect).or_default().push((file, content)),
            // HAProxy passes over a directory named `x.cfg` as well.
            Err(LoadError::IsDirectory) => {}
            Err(error) => unreadable.push(NotFound::Unreadable(file, error)),
        }
    }
    if !unreadable.is_empty() {
        return Err(unreadable);
    }
    if told.is_none() {
        let speaks = |(file, content): &(String, Vec<u8>), dialect| detect(file, content) == Some(dialect);
        found.retain(|dialect, files| {
            if dialect.description().files.told_by_content {
                files.retain(|file| speaks(file, *dialect));
            }
            files.iter().any(|file| speaks(file, *dialect))
        });
    }
    if found.len() > 1 {
        return Err(vec![NotFound::Several(path.to_owned(), found.into_keys().collect())]);
    }
    found.pop_first().ok_or_else(|| vec![NotFound::Nothing(path.to_owned(), told)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::MemoryLoader;

    fn loader(files: &[(&str, &str)]) -> MemoryLoader {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        MemoryLoader { files: files.collect() }
    }

    fn messages(result: Result<Vec<Found>, Vec<NotFound>>) -> Vec<String> {
        result.unwrap_err().iter().map(ToString::to_string).collect()
    }

    const NGINX: &str = "events {}\nhttp {}\n";
    const ENVOY: &str = "static_resources:\n  clusters: []\n";

    #[test]
    fn main_files_are_configurations_of_their_own() {
        let loader =
            loader(&[("a.conf", NGINX), ("b.conf", NGINX), ("up.conf", "upstream u { server a; }\n")]);
        let found = find(&loader, &["a.conf", "up.conf", "b.conf"], None, false).unwrap();
        let files: Vec<_> = found.iter().map(|found| found.files.as_slice()).collect();
        assert_eq!(files, [["a.conf"], ["b.conf"], ["up.conf"]]);
        assert_eq!(find(&loader, &["a.conf", "b.conf"], None, true).unwrap().len(), 1);
    }

    #[test]
    fn a_folder_of_two_languages_is_asked_about() {
        let loader = loader(&[("d/nginx.conf", NGINX), ("d/x.yaml", ENVOY), ("d/y.yaml", "a: b\n")]);
        let said = messages(find(&loader, &["d"], None, false));
        assert_eq!(said, ["`d` holds configurations of nginx and Envoy: name the files"]);
        let found = find(&loader, &["d"], Some(Dialect::Envoy), false).unwrap();
        assert_eq!(found[0].files, ["d/x.yaml", "d/y.yaml"]);
        assert_eq!(found[0].paths, ["d"]);
        let said = messages(find(&loader, &["d"], Some(Dialect::HaProxy), false));
        assert_eq!(said, ["there is nothing to check in `d`: no *.cfg file"]);
    }

    #[test]
    fn every_problem_is_told() {
        let loader = loader(&[("notes.txt", "nothing\n")]);
        let said = messages(find(&loader, &["notes.txt", "missing"], None, false));
        assert_eq!(
            said,
            [
                "cannot tell whether `notes.txt` is a HAProxy, nginx or Envoy configuration",
                "cannot read `missing`: no such file"
            ]
        );
    }
}
