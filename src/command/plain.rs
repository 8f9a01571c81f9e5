//! Whether everybody may read what somebody typed for a meeting.

use crate::command::labels::{is_of_invitation, is_of_label};
use crate::command::{link, markup, pasted};

/// Whether these words, as they are and as Slack shows them, are nothing but a meeting's number, or a link
/// that holds nothing else. What people paste with a meeting may hold its passcode under a name that nobody
/// knows, so whatever is not understood is not shown. Of an invitation, which has both, other digits are
/// not looked at.
pub(super) fn is_plain(words: &[&str]) -> bool {
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
    fn a_number_and_a_plain_link_are_shown() {
        for text in [
            "68423085",
            "684 230 85",
            "6842-3085.",
            "(68423085)",
            "６８４２３０８５",
            "Meeting ID: 684 230 85",
            "<https://zoom.us/j/68423085>",
            "https://us02web.zoom.us/j/68423085/",
            "<https://app.zoom.us/wc/68423085/start>,",
            "<https://acme.zoom.us/j/68423085|acme.zoom.us/j/68423085>",
        ] {
            assert!(is_plain(&[text]), "{text}");
        }
    }

    #[test]
    fn what_may_hold_a_passcode_is_not() {
        let wrapped =
            "https://us3.example.net/?u=aHR0cHM6Ly96b29tLnVzL2ovNjg0MjMwODU_cHdkPWh1bnRlcjI";
        for text in [
            "https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nKod dostępu: 123456",
            "https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nGeçiş Kodu: 123456",
            "https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nMật mã: 123456",
            "https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nΚωδικός: 123456",
            "https://zoom.us/j/68423085\nMeeting ID: 684 230 85\nرمز المرور: 123456",
            "https://zoom.us/j/68423085 Kod: hunter2",
            "https://zoom.us/j/68423085 ID 68423085 123456",
            wrapped,
            "https://zoom.us/j/68423085?p=hunter2",
            "https://zoom.us/j/68423085?jwt=hunter2",
            "https://zoom.us/j/68423085#hunter2",
            "https://zoom.us/j/68423085/hunter2",
            "https://zoom.us/j/68423085/123456",
            "https://hunter2@zoom.us/j/68423085",
            "zoommtg://zoom.us/join?confno=68423085&x=hunter2",
            "<https://zoom.us/j/68423085|hunter2>",
            "68423085 (hunter2)",
            "+13017158592,,68423085#,,,,*123456#",
        ] {
            assert!(!is_plain(&[text]), "{text}");
        }
    }
}
