//! What changes in the page while somebody looks at it.

use std::collections::HashMap;

use maud::Markup;
use serde_json::{Value, json};

/// Something in a list of the page.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// What it is known by there.
    pub(super) key: String,
    pub(super) html: String,
}

impl Item {
    pub(super) fn new(key: String, html: &Markup) -> Self {
        Self {
            key,
            html: html.0.clone(),
        }
    }
}

/// A list in the page whose items come and go, by the id of its element.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) id: &'static str,
    pub(super) items: Vec<Item>,
}

impl Region {
    /// One thing that is always there.
    pub(super) fn one(id: &'static str, html: &Markup) -> Self {
        let items = vec![Item::new("one".to_owned(), html)];
        Self { id, items }
    }
}

/// What a page was told so far.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<&'static str, Vec<(String, String)>>);

impl Told {
    /// What it must be told so that it shows these: of each region that has changed the keys in order,
    /// each with its HTML if that is new.
    pub(super) fn news(&mut self, regions: Vec<Region>) -> Vec<Value> {
        let mut news = Vec::new();
        for Region { id, items } in regions {
            let now: Vec<_> = items
                .into_iter()
                .map(|item| (item.key, item.html))
                .collect();
            let before = self.0.get(id);
            if before == Some(&now) {
                continue;
            }
            let known: HashMap<&str, &str> = before
                .into_iter()
                .flatten()
                .map(|(key, html)| (key.as_str(), html.as_str()))
                .collect();
            let items: Vec<_> = now
                .iter()
                .map(|(key, html)| {
                    let is_known = known.get(key.as_str()) == Some(&html.as_str());
                    json!([key, (!is_known).then_some(html)])
                })
                .collect();
            news.push(json!({ "id": id, "items": items }));
            self.0.insert(id, now);
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    fn region(items: &[(&str, &str)]) -> Vec<Region> {
        let items = items.iter().map(|(key, text)| {
            let text = html! { li { (text) } };
            Item::new((*key).to_owned(), &text)
        });
        vec![Region {
            id: "list",
            items: items.collect(),
        }]
    }

    #[test]
    fn only_what_is_new_is_told() {
        let mut told = Told::default();
        let first = told.news(region(&[("a", "1"), ("b", "2")]));
        assert_eq!(
            json!(first),
            json!([{ "id": "list", "items": [["a", "<li>1</li>"], ["b", "<li>2</li>"]] }])
        );
        assert!(told.news(region(&[("a", "1"), ("b", "2")])).is_empty());
        let next = told.news(region(&[("c", "3"), ("b", "2")]));
        assert_eq!(
            json!(next),
            json!([{ "id": "list", "items": [["c", "<li>3</li>"], ["b", null]] }])
        );
        let gone = told.news(region(&[("b", "2")]));
        assert_eq!(
            json!(gone),
            json!([{ "id": "list", "items": [["b", null]] }])
        );
    }
}
