//! What an app may ask for besides starts and stops, what it has asked for, and what goes wrong with it.

use std::collections::{HashMap, VecDeque};

use super::fault::Fault;

/// Something that an app asks for, besides starts and stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Read {
    /// `GET /v2/users/me`
    Me,
    /// `GET /v2/users/me/settings`
    Settings,
    /// `GET /v2/users/me/meetings?type=live`
    LiveMeetings,
    /// `GET /v2/users/me/meetings` of any other type
    UpcomingMeetings,
    /// `GET /v2/meetings/{id}`
    Meeting,
    /// `GET /v2/meetings/{id}/livestream`
    Livestream,
    /// `PATCH /v2/meetings/{id}/livestream`, which changes it.
    SetDestination,
}

/// What was read so far, and what the next requests get instead of an answer.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Each with its path and query, in order.
    asked: Vec<(Read, String)>,
    faults: HashMap<Read, VecDeque<Fault>>,
}

impl Reads {
    /// Something is asked for. Returns what it gets instead of an answer, if anything.
    pub(super) fn begin(&mut self, read: Read, path: String) -> Option<Fault> {
        self.asked.push((read, path));
        self.faults.get_mut(&read)?.pop_front()
    }

    pub(super) fn asked(&self, read: Read) -> Vec<String> {
        let asked = self.asked.iter().filter(|(kind, _)| *kind == read);
        asked.map(|(_, path)| path.clone()).collect()
    }

    pub(super) fn fail_next(&mut self, read: Read, fault: Fault) {
        self.faults.entry(read).or_default().push_back(fault);
    }

    pub(super) fn faults_waiting(&self, read: Read) -> usize {
        self.faults.get(&read).map_or(0, VecDeque::len)
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }
}
