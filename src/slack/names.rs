//! What Slack lately called people and channels, in the memory of this replica: pages name the same
//! ones again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ids::TeamId;

/// How long a name counts.
const KNOWN_FOR: Duration = Duration::from_mins(10);
/// How long Slack is not asked again for a name that it did not tell.
const MISSING_FOR: Duration = Duration::from_mins(1);
/// How many are remembered, which takes a megabyte or two.
const REMEMBERED_MAX: usize = 10_000;

/// What somebody or something is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Of a person, or of a public channel with its `#`.
    Known(String),
    /// Of a private channel, which only its members may know.
    Private,
}

/// The names that were asked for lately. A clone is of the same.
#[derive(Debug, Default, Clone)]
pub struct KnownNames(Arc<Mutex<HashMap<Key, Remembered>>>);

/// A workspace, and the id of one of its people or channels.
type Key = (TeamId, String);

#[derive(Debug)]
struct Remembered {
    /// `None`: Slack did not tell it.
    name: Option<Name>,
    until: Instant,
}

impl KnownNames {
    /// The name of this id in a workspace, or that Slack lately did not tell it. `None` if it was not
    /// asked lately.
    pub fn find(&self, team: &TeamId, id: &str) -> Option<Option<Name>> {
        let known = self.known();
        let remembered = known.get(&(team.clone(), id.to_owned()))?;
        (remembered.until > Instant::now()).then(|| remembered.name.clone())
    }

    /// Remembers what Slack said, or that it did not.
    pub fn store(&self, team: &TeamId, id: &str, name: Option<Name>) {
        let now = Instant::now();
        let mut known = self.known();
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, remembered| remembered.until > now);
            if known.len() >= REMEMBERED_MAX {
                known.clear();
            }
        }
        let life = if name.is_some() {
            KNOWN_FOR
        } else {
            MISSING_FOR
        };
        let until = now + life;
        known.insert((team.clone(), id.to_owned()), Remembered { name, until });
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_its_workspace_and_the_memory_is_bounded() {
        let names = KnownNames::default();
        let (here, elsewhere) = (TeamId::new("T1"), TeamId::new("T2"));
        assert_eq!(names.find(&here, "U1"), None);
        names.store(&here, "U1", Some(Name::Known("Dana".to_owned())));
        names.store(&here, "C1", None);
        let dana = Some(Some(Name::Known("Dana".to_owned())));
        assert_eq!(names.find(&here, "U1"), dana);
        assert_eq!(names.find(&here, "C1"), Some(None));
        assert_eq!(names.find(&elsewhere, "U1"), None);
        for n in 0..2 * REMEMBERED_MAX {
            names.store(&here, &format!("U{n}"), Some(Name::Private));
        }
        assert!(names.known().len() <= REMEMBERED_MAX);
    }
}
