//! Whether everybody may read what somebody typed.

use crate::command::labels::{holds_passcode, is_of_invitation, is_of_label};
use crate::command::options::Typed;
use crate::command::words::{bare, words};
use crate::command::{link, markup, pasted, split_behind_meeting};

/// Whether a text is nothing but a command, a meeting's number or a link that holds nothing else, and
/// options. What people paste with a meeting may hold its passcode under a name that nobody knows,
/// so whatever is not understood is not shown.
pub fn is_plain(text: &str) -> bool {
    let Ok(words) = words(bare(text)) else {
        return false;
    };
    let Some((_verb, rest)) = words.split_first() else {
        return true;
    };
    let (meeting, options) = split_behind_meeting(bare(text), rest);
    let others = options.iter().filter_map(Typed::other);
    let meeting = meeting.iter().map(|word| &*word.raw).chain(others);
    meeting_is_plain(&meeting.collect::<Vec<_>>()) && !holds_passcode(text)
}

/// Whether the words of a meeting, as they are and as Slack shows them, are a number or a plain link. Of an
/// invitation, which has both, other digits are not looked at.
fn meeting_is_plain(words: &[&str]) -> bool {
    let shown = words.iter().map(|word| markup::shown(word));
    let Ok(shown) = shown.collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    let addresses = words.iter().map(|word| markup::addresses(word)).collect();
    [shown, addresses].iter().all(|texts: &Vec<String>| {
        let (mut links, mut numbers) = (0, 0);
        let mut words = texts.iter().flat_map(|text| text.split_whitespace());
        let is_plain = words.all(|word| {
            if link::is_plain(pasted::undecorated(word)) {
                links += 1;
            } else if pasted::is_number(word) {
                numbers += 1;
            } else {
                return is_of_invitation(word) || is_of_label(word);
            }
            true
        });
        is_plain && (links == 0 || (links == 1 && numbers == 0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_a_plain_link_and_options_are_shown() {
        for text in [
            "start 68423085",
            "/livestream stop 684 230 85",
            "START 6842-3085.",
            "rehearse (68423085)",
            "start ６８４２３０８５",
            "start Meeting ID: 684 230 85",
            "start <https://zoom.us/j/68423085>",
            "start https://us02web.zoom.us/j/68423085/",
            "start <https://app.zoom.us/wc/68423085/start>,",
            "start <https://acme.zoom.us/j/68423085|acme.zoom.us/j/68423085>",
            "start 68423085 name=\"Town Hall 2026\" layout=gallery_view to=townhall",
            "start to=townhall 68423085",
            "start 68423085 to townhall",
        ] {
            assert!(is_plain(text), "{text}");
        }
    }

    #[test]
    fn what_may_hold_a_passcode_is_not() {
        let wrapped =
            "https://us3.example.net/?u=aHR0cHM6Ly96b29tLnVzL2ovNjg0MjMwODU_cHdkPWh1bnRlcjI";
        for text in [
            "start https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nKod dostępu: 123456",
            "start https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nGeçiş Kodu: 123456",
            "start https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nMật mã: 123456",
            "start https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nΚωδικός: 123456",
            "start https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nرمز المرور: 123456",
            "start https://zoom.us/j/68423085 Kod: hunter2",
            "start https://zoom.us/j/68423085 ID 68423085 123456",
            &format!("start {wrapped}"),
            "start https://zoom.us/j/68423085?p=hunter2",
            "start https://zoom.us/j/68423085?jwt=hunter2",
            "start https://zoom.us/j/68423085#hunter2",
            "start https://zoom.us/j/68423085/hunter2",
            "start https://zoom.us/j/68423085/123456",
            "start https://hunter2@zoom.us/j/68423085",
            "start zoommtg://zoom.us/join?confno=68423085&x=hunter2",
            "start <https://zoom.us/j/68423085|hunter2>",
            "start 68423085 (hunter2)",
            "start +13017158592,,68423085#,,,,*123456#",
            "start 68423085 name=\"passcode 123456\"",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
