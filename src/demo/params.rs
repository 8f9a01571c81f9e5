//! The parameters of a query or of a form.

use std::collections::BTreeMap;

use url::Url;

/// The parameters of a query or of a form.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// No parameter may come twice: <https://www.rfc-editor.org/rfc/rfc6749#section-3.1>.
    pub(super) fn read(encoded: &[u8]) -> Result<Self, &'static str> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded).into_owned() {
            if fields.insert(name, value).is_some() {
                return Err("A parameter comes twice.");
            }
        }
        Ok(Self(fields))
    }

    /// A missing parameter is an empty one.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Where the browser is to be sent back to.
    pub(super) fn redirect_uri(&self) -> Result<Url, &'static str> {
        Url::parse(self.get("redirect_uri"))
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()) && url.fragment().is_none())
            .ok_or("Invalid redirect: no redirect_uri that a browser could go to.")
    }

    /// All of them, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}
