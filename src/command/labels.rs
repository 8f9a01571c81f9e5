//! What people and Zoom's invitations call the numbers in a text, and what is said with a passcode.

use crate::destination::looks_like_key;

/// What a meeting's number is called, or a part of that.
const ID: [&str; 12] = [
    "id",
    "kennung",
    "nummer",
    "number",
    "numéro",
    "número",
    "numero",
    "номер",
    "идентификатор",
    "号",
    "號",
    "번호",
];
/// What a meeting is called beside that.
const MEETING: [&str; 21] = [
    "meeting",
    "meetings",
    "webinar",
    "zoom",
    "reunión",
    "reunion",
    "réunion",
    "reunião",
    "riunione",
    "vergadering",
    "besprechung",
    "конференции",
    "встречи",
    "ミーティング",
    "ウェビナー",
    "会议",
    "會議",
    "회의",
    "toplantı",
    "spotkania",
    "mötes",
];
/// Words between the two.
const JOINING: [&str; 12] = [
    "the", "of", "de", "la", "da", "della", "du", "der", "des", "no", "nr", "your",
];
/// How an invitation says that a link or a telephone's number follows.
const INVITING: [&str; 20] = [
    "join",
    "here",
    "link",
    "one",
    "tap",
    "mobile",
    "beitreten",
    "teilnehmen",
    "hier",
    "rejoindre",
    "participer",
    "ici",
    "unirse",
    "entrar",
    "ingressar",
    "partecipa",
    "aquí",
    "参加",
    "ミーティングに参加する",
    "zoomミーティングに参加する",
];
/// What a passcode is called.
const PASSCODE: [&str; 29] = [
    "passcode",
    "password",
    "pwd",
    "pw",
    "passwd",
    "pin",
    "kenncode",
    "kennwort",
    "passwort",
    "zugangscode",
    "código",
    "codigo",
    "contraseña",
    "senha",
    "codice",
    "passe",
    "wachtwoord",
    "toegangscode",
    "hasło",
    "пароль",
    "код",
    "密码",
    "密碼",
    "パスコード",
    "암호",
    "비밀번호",
    "passord",
    "lösenord",
    "parola",
];
/// What a passcode may be called, and much else.
const MAYBE_PASSCODE: [&str; 4] = ["code", "pass", "key", "secret"];
/// What telephone numbers are called, and other numbers of an invitation.
const TELEPHONE: [&str; 22] = [
    "phone",
    "tel",
    "telephone",
    "telefon",
    "telefonnummer",
    "telefono",
    "teléfono",
    "téléphone",
    "telefone",
    "telefoon",
    "телефон",
    "電話",
    "电话",
    "手机",
    "전화",
    "dial",
    "einwahl",
    "fax",
    "toll",
    "ext",
    "extension",
    "participant",
];
/// Parameters of a link whose values are passcodes and tokens.
const PARAMETERS: [&str; 4] = ["pwd", "zak", "tk", "token"];

/// Whether a word has one of these as a part: in an alphabet without spaces also within a part.
fn says(word: &str, known: &[&str]) -> bool {
    let word = word.to_lowercase();
    word.split(|c: char| !c.is_alphanumeric()).any(|part| {
        known
            .iter()
            .any(|known| part == *known || (!known.is_ascii() && part.contains(known)))
    })
}

/// Whether a word may be a part of what a passcode is called.
pub(super) fn is_passcode(word: &str) -> bool {
    says(word, &PASSCODE) || says(word, &MAYBE_PASSCODE)
}

/// Whether a word may be a part of what a telephone's number is called.
pub(super) fn is_telephone(word: &str) -> bool {
    says(word, &TELEPHONE)
}

/// The words that punctuation joins in one, in lower case.
fn parts(word: &str) -> Vec<String> {
    let word = word.to_lowercase();
    let parts = word.split(|c: char| !c.is_alphanumeric());
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a word may stand before a meeting's number or link, and says nothing else.
pub(super) fn is_of_invitation(word: &str) -> bool {
    let is_known = |part: &String| {
        [&MEETING[..], &INVITING, &["the"]]
            .concat()
            .contains(&part.as_str())
    };
    parts(word).iter().all(is_known)
}

/// How many of the last words call what follows a meeting's number: `Zoom Meeting ID`, `ID de la
/// reunión`. `Customer ID` calls it something else.
pub(super) fn id_label(words: &[String]) -> Option<usize> {
    let length = words
        .iter()
        .rev()
        .take_while(|word| is_of_label(word))
        .count();
    let label = words.get(words.len() - length..)?;
    let has = |known: &[&str]| {
        let mut parts = label.iter().flat_map(|word| parts(word));
        parts.any(|part| known.iter().any(|known| part.ends_with(known)))
    };
    // `no` without a dot says more.
    let last = words.last().map(|word| word.to_lowercase());
    let is_short = last.is_some_and(|word| ["no.", "nr."].contains(&word.as_str()));
    ((has(&ID) || is_short) && (length == words.len() || has(&MEETING))).then_some(length)
}

fn is_label_part(part: &str) -> bool {
    let is_label = |part: &str| ID.contains(&part) || MEETING.contains(&part);
    let is_joined = |label: &&str| {
        part.strip_suffix(*label)
            .is_some_and(|meeting| MEETING.contains(&meeting))
    };
    is_label(part) || JOINING.contains(&part) || ID.iter().any(is_joined)
}

/// Whether a word may be a part of what a meeting's number is called.
pub(super) fn is_of_label(word: &str) -> bool {
    parts(word).iter().all(|part| is_label_part(part))
}

/// Whether a text may hold a passcode: a link's, one with a label, or one to dial.
pub(super) fn holds_passcode(text: &str) -> bool {
    let text = text.to_lowercase();
    let ends = ["=", "%3d", "%253d", "-3d"];
    let is_parameter = |name: &str| {
        ends.iter()
            .any(|end| text.contains(&format!("{name}{end}")))
    };
    let mut words = text.split_whitespace().peekable();
    let mut has_label = false;
    while let Some(word) = words.next() {
        let has_value = word.contains([':', '：', '='])
            || words
                .peek()
                .is_some_and(|next| next.contains(char::is_numeric));
        has_label |= says(word, &PASSCODE) || (has_value && says(word, &MAYBE_PASSCODE));
    }
    has_label || text.contains(",*") || PARAMETERS.into_iter().any(is_parameter)
}

/// Whether a message may repeat what somebody typed: what looks like plain words, without
/// what may be a passcode or a part of a link.
pub(super) fn may_be_repeated(typed: &str) -> bool {
    let has = |is: fn(char) -> bool| typed.contains(is);
    let is_mixed = has(char::is_numeric) && (has(char::is_whitespace) || has(char::is_alphabetic));
    let may_be_key = |word: &str| says(word, &["key"]) || looks_like_key(word);
    !is_mixed
        && !typed.contains(['=', '＝', '/', ':', '：', '?'])
        && !typed.split_whitespace().any(may_be_key)
        && !holds_passcode(typed)
}

/// How many characters a word has at least that may be a key, if it has no digit.
pub(super) const KEY_MIN: usize = 16;

/// Whether a text holds a stream key, or the address of a server that takes one.
pub(super) fn holds_key(text: &str) -> bool {
    const SERVERS: [&str; 3] = ["rtmp://", "rtmps://", "srt://"];
    const NAMES: [&str; 6] = [
        "streamkey",
        "streamingkey",
        "streamurl",
        "rtmpkey",
        "rtmpurl",
        "rtmpskey",
    ];
    let text = text.to_lowercase();
    if SERVERS.iter().any(|scheme| text.contains(scheme)) {
        return true;
    }
    // What stands in quotes is the name that viewers read.
    let outside: String = text.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = outside.split_whitespace().collect();
    let mut before = String::new();
    words.iter().enumerate().any(|(index, word)| {
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let label = word
            .split(['=', ':', '＝', '：'])
            .next()
            .unwrap_or_default();
        let name: String = label.chars().filter(|c| c.is_alphanumeric()).collect();
        let value = word.get(label.len()..).unwrap_or_default();
        let next = words.get(index + 1).copied().unwrap_or_default();
        let is_stream = ["stream", "streaming", "rtmp", "rtmps"].contains(&before.as_str());
        let has_value = if value.trim_matches(['=', ':', '＝', '：']).is_empty() {
            next.contains(|c: char| c.is_ascii_digit()) || next.chars().count() >= KEY_MIN
        } else {
            true
        };
        let is_key = NAMES.contains(&name.as_str())
            || (name == "key" && (is_stream || (has_value && value.starts_with(['=', '＝']))));
        before = name;
        is_key || looks_like_key(word.trim_end_matches(|c: char| !c.is_alphanumeric()))
    })
}
