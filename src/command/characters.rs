//! Characters that people paste without seeing the difference.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A decimal digit of any script as one of `0` to `9`. Unicode keeps the ten digits of a script
/// side by side, so its value is how far it is from the first: [Unicode stability policy].
///
/// [Unicode stability policy]: https://www.unicode.org/policies/stability_policy.html
pub(super) fn digit(c: char) -> Option<char> {
    let is_digit = |c: &char| c.general_category() == GeneralCategory::DecimalNumber;
    if c.is_ascii() || !is_digit(&c) {
        return c.is_ascii_digit().then_some(c);
    }
    let before = ('\0'..c).rev().take_while(is_digit).count();
    char::from_digit(u32::try_from(before % 10).ok()?, 10)
}

/// Hyphens and dashes of every length, and the minus sign.
pub(super) fn is_dash(c: char) -> bool {
    c.general_category() == GeneralCategory::DashPunctuation || c == '\u{2212}'
}

/// Zero-width characters, soft hyphens and direction marks that copying leaves behind.
pub fn is_invisible(c: char) -> bool {
    c.general_category() == GeneralCategory::Format || matches!(c, '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_have_their_value() {
        for digits in [
            "0123456789",
            "０１２３４５６７８９",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "๐๑๒๓๔๕๖๗๘๙",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
            "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿",
        ] {
            let read: String = digits.chars().filter_map(digit).collect();
            assert_eq!(read, "0123456789", "{digits}");
        }
        for c in ['a', '²', '½', '①', '五', '-', '\u{200b}'] {
            assert_eq!(digit(c), None, "{c}");
        }
    }
}
