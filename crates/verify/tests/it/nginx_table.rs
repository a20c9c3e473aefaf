//! The table of nginx directives beside the directives compiled into the installed nginx and its modules, read from the
//! command tables of the programs: names, places and numbers of arguments, in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lbcheck::dialect::Dialect;
use lbcheck::nginx::{KnownDirective, known_directives};
use lbcheck_verify::program::Program;

/// Where packages put the modules that are loaded at run time.
const MODULES: &[&str] = &["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/etc/nginx/modules"];

/// `include` may stand everywhere, and the reader replaces it by what it names; how many words `keepalive` has in which
/// version is judged by code.
const ELSEWHERE: &[&str] = &["include", "keepalive"];

/// A line of a command table, with the bits that nginx keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Command {
    name: String,
    flags: u64,
}

#[test]
fn the_table_knows_what_the_program_knows() {
    let Some(program) = Program::for_test(Dialect::Nginx, "nginx_table") else { return };
    let bytes = std::fs::read(&program.path).expect("the program is a file");
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        println!("{} is no program with tables that this test reads", program.path.display());
        return;
    }
    let mut files = vec![program.path.clone()];
    for folder in MODULES {
        files.extend(shared_objects(Path::new(folder)));
    }
    let (mut commands, mut texts) = (BTreeSet::new(), Vec::new());
    for file in files {
        let bytes = std::fs::read(file).expect("a module is a file");
        commands.extend(Elf::read(&bytes).map(|elf| elf.commands()).unwrap_or_default());
        texts.push(bytes);
    }
    assert!(commands.len() > 500, "{} directives are found in the program", commands.len());
    let version = program.version().expect("the program tells its version");
    let table = known_directives(version);
    let mut differences = Vec::new();
    for command in commands.iter().filter(|command| !ELSEWHERE.contains(&command.name.as_str())) {
        let known: Vec<&KnownDirective> = table.iter().filter(|known| known.name == command.name).collect();
        if known.is_empty() {
            differences.push(format!("`{}` is not in the table", command.name));
        } else if !known.iter().any(|known| agrees(known, command.flags)) {
            differences.push(format!("`{}`: {:x} of the program, {known:?}", command.name, command.flags));
        }
    }
    let there: BTreeSet<&str> = commands.iter().map(|command| command.name.as_str()).collect();
    let mut built_in: BTreeMap<&str, bool> = BTreeMap::new();
    for known in table.iter().filter(|known| known.own) {
        let built_in = built_in.entry(known.module).or_insert_with(|| {
            let name = format!("\0ngx_{}_module\0", known.module);
            texts.iter().any(|text| text.windows(name.len()).any(|window| window == name.as_bytes()))
        });
        if *built_in && !there.contains(known.name) {
            differences.push(format!("`{}` of {} is not in the program", known.name, known.module));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn shared_objects(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "so")).collect();
    found.sort();
    found
}

/// Whether an entry says what the bits of the program say.
fn agrees(known: &KnownDirective, flags: u64) -> bool {
    let counts: [bool; 8] = std::array::from_fn(|count| {
        flags & 0x400 != 0
            || flags & 0x200 != 0 && count == 1
            || flags & 0x800 != 0 && count >= 1
            || flags & 0x1000 != 0 && count >= 2
            || flags >> count & 1 == 1
    });
    let family =
        |module: &str| ["http", "stream", "mail"].into_iter().find(|family| module.starts_with(family));
    let block = |bit: u32| -> &'static str {
        match (bit, family(known.module)) {
            (24, _) => "main",
            (25, Some("http")) => "http",
            (26, Some("http")) => "server",
            (27, Some("http")) => "location",
            (28, Some("http")) => "upstream",
            (29, Some("http")) => "server if",
            (30, Some("http")) => "location if",
            (31, Some("http")) => "limit_except",
            (25, Some("stream")) => "stream",
            (26, Some("stream")) => "stream server",
            (27, Some("stream")) => "stream upstream",
            (25, Some("mail")) => "mail",
            (26, Some("mail")) => "mail server",
            (25, None) => "events",
            _ => "",
        }
    };
    let mut blocks: Vec<&str> = (24..32).filter(|bit| flags >> bit & 1 == 1).map(block).collect();
    let mut written = known.blocks.clone();
    blocks.sort_unstable();
    written.sort_unstable();
    known.block == (flags & 0x100 != 0) && known.counts == counts && written == blocks
}

/// A program of 64 bits, as far as is needed to find tables in it.
struct Elf<'a> {
    bytes: &'a [u8],
    /// Address, offset in the file, and size of what is loaded.
    sections: Vec<(u64, u64, u64)>,
    /// What the loader writes to addresses; `None`: something of another object.
    pointers: BTreeMap<u64, Option<u64>>,
}

fn number(bytes: &[u8], at: u64, size: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let part = bytes.get(at..at + size)?;
    Some(part.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

impl<'a> Elf<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (from, size, count) = (number(bytes, 0x28, 8)?, number(bytes, 0x3A, 2)?, number(bytes, 0x3C, 2)?);
        let mut elf = Self { bytes, sections: Vec::new(), pointers: BTreeMap::new() };
        let mut relocations = Vec::new();
        for index in 0..count {
            let head = from + index * size;
            let field = |at: u64, size: usize| number(bytes, head + at, size);
            let (kind, address, offset, length) = (field(4, 4)?, field(16, 8)?, field(24, 8)?, field(32, 8)?);
            match kind {
                1 => elf.sections.push((address, offset, length)),
                4 => relocations.push((offset, length)),
                _ => {}
            }
        }
        for (offset, length) in relocations {
            for at in (offset..offset + length).step_by(24) {
                let (place, info, value) =
                    (number(bytes, at, 8)?, number(bytes, at + 8, 8)?, number(bytes, at + 16, 8)?);
                // Relative to where the object is loaded, on x86-64 and on 64-bit ARM.
                let relative = matches!(info, 8 | 1027);
                elf.pointers.insert(place, relative.then_some(value));
            }
        }
        Some(elf)
    }

    fn offset(&self, address: u64) -> Option<u64> {
        let section = self.sections.iter().find(|(start, _, size)| (*start..start + size).contains(&address));
        section.map(|(start, offset, _)| address - start + offset)
    }

    /// A command is a name (length and pointer), its bits, and a function that reads it.
    fn commands(&self) -> Vec<Command> {
        let found = self.pointers.iter().filter_map(|(&place, &name)| {
            let head = self.offset(place.checked_sub(8)?)?;
            let (length, flags) = (number(self.bytes, head, 8)?, number(self.bytes, head + 16, 8)?);
            if !(2..64).contains(&length) || flags >> 32 != 0 || flags >> 24 == 0 || flags & 0x1FFF == 0 {
                return None;
            }
            self.pointers.get(&(place + 16))?;
            let text = usize::try_from(self.offset(name?)?).ok()?;
            let name = self.bytes.get(text..text + length as usize)?;
            let ends = self.bytes.get(text + length as usize) == Some(&0);
            let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            (ends && name.iter().all(word))
                .then(|| Command { name: String::from_utf8_lossy(name).into_owned(), flags })
        });
        found.collect()
    }
}
