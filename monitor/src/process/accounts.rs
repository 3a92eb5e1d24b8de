//! Names of users, from /etc/passwd (passwd(5)): no directory service is asked, since it could block.

use std::collections::HashMap;
use std::fs;
use std::time::SystemTime;

const PASSWD: &str = "/etc/passwd";

#[derive(Default)]
pub(super) struct Accounts {
    names: HashMap<u32, String>,
    read_at: Option<SystemTime>,
}

impl Accounts {
    /// The name of a user, none when the file has none for it. The file is read again when it has changed.
    pub(super) fn name_of(&mut self, uid: u32) -> Option<String> {
        let changed = fs::metadata(PASSWD).and_then(|file| file.modified()).ok();
        if changed != self.read_at || self.read_at.is_none() {
            self.names = parse(&fs::read_to_string(PASSWD).unwrap_or_default());
            self.read_at = changed;
        }
        self.names.get(&uid).cloned()
    }
}

/// `name:password:uid:…`; the first name of an id counts, as for getpwuid(3).
fn parse(text: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(uid))) = (fields.next(), fields.nth(1).map(str::parse)) {
            names.entry(uid).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_an_id_counts() {
        let names = parse("root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:\nbroken\n#\na:b:c\n");
        assert_eq!(names, HashMap::from([(0, "root".to_owned())]));
    }
}
