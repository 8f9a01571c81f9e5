//! An admin's browser, on the admin's pages.

use livestream_bot::demo::{Person, World};
use reqwest::StatusCode;

use super::browser::{Browser, Page};

/// A browser that knows the admin's pages of one service.
pub(crate) struct AdminBrowser<'w> {
    world: &'w World,
    pub(crate) browser: Browser,
}

impl<'w> AdminBrowser<'w> {
    /// A browser that is not signed in.
    pub(crate) fn new(world: &'w World) -> Self {
        Self {
            world,
            browser: Browser::new(),
        }
    }

    /// A browser that this person signed in with.
    pub(crate) async fn signed_in(world: &'w World, person: Person) -> Self {
        let mut admin = Self::new(world);
        let page = admin.sign_in(person).await;
        assert_eq!(page.location(), "/admin");
        admin
    }

    /// Signs in with Slack. Returns what the service answers at the end.
    pub(crate) async fn sign_in(&mut self, person: Person) -> Page {
        let slack = self.get("/admin/sign-in").await;
        let back = self.world.slack.sign_in(&slack.location(), person).await;
        let back = self
            .browser
            .get(&back.expect("a redirect from Slack"))
            .await;
        self.get(&back.location()).await
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let url = format!("{}{path}", self.world.service);
        self.browser.get(&url).await
    }

    /// Submits a form.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let url = format!("{}{path}", self.world.service);
        self.browser.post(&url, form).await
    }

    /// Submits a form that changes something. Returns the page that shows how it stands then.
    pub(crate) async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let page = self.post(path, form).await;
        let shown = page.location();
        self.get(&shown).await
    }

    /// Opens a page that an admin may see. Returns its text.
    pub(crate) async fn read(&mut self, path: &str) -> String {
        self.open(path).await.body
    }

    /// The value of a hidden field of a page.
    pub(crate) async fn hidden_field(&mut self, path: &str, name: &str) -> String {
        self.open(path).await.hidden_field(name).to_owned()
    }

    /// The CSRF token of this session.
    pub(crate) async fn csrf(&mut self) -> String {
        self.hidden_field("/admin", "csrf").await
    }

    /// Saves rules: the default ones with these changes, whomever that locks out.
    pub(crate) async fn set_rules(&mut self, changes: &[(&str, &str)]) -> Page {
        let page = self.send_rules("/admin/rules", changes).await;
        if !page.body.contains("name=\"lock_out\"") {
            return page;
        }
        let locked_out = page.between("name=\"lock_out\" value=\"", "\"").to_owned();
        let confirmed = [changes, &[("lock_out", locked_out.as_str())]].concat();
        self.send_rules("/admin/rules", &confirmed).await
    }

    /// Sends a form of rules to this path: the default ones with these changes.
    pub(crate) async fn send_rules(&mut self, path: &str, changes: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        let version = self.hidden_field("/admin/rules", "version").await;
        let mut form = vec![("csrf", csrf.as_str()), ("version", version.as_str())];
        for (name, default) in [("who", "linked"), ("place", "anywhere")] {
            if !changes.iter().any(|(changed, _)| *changed == name) {
                form.push((name, default));
            }
        }
        if changes.iter().any(|(name, _)| *name == "confirm_over") {
            form.push(("confirm_many", "on"));
        }
        form.extend_from_slice(changes);
        self.post(path, &form).await
    }

    /// Adds a destination for everybody, at a server of Acme's. Returns its id.
    pub(crate) async fn add_destination(&mut self, name: &str, key: &str) -> i64 {
        let page = format!("https://video.acme.example/{name}");
        let fields = [("name", name), ("new_key", key), ("page", &*page)];
        let added = self.post_destination(&fields).await.location();
        let id = added
            .strip_prefix("/admin/destinations/")
            .and_then(|rest| rest.strip_suffix("?saved=1")?.parse().ok());
        id.unwrap_or_else(|| panic!("no new destination: {added}"))
    }

    /// Sends the form of a new destination: one named `townhall`, for everybody, at a server of
    /// Acme's, with these changes.
    pub(crate) async fn post_destination(&mut self, changes: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        let mut form = vec![("csrf", csrf.as_str())];
        for (name, default) in [
            ("name", "townhall"),
            ("service", "other"),
            ("server", "rtmps://ingest.acme.example/live"),
            ("new_key", "key-of-the-town-hall"),
            ("page", "https://video.acme.example/townhall"),
            ("who", "everybody"),
        ] {
            if !changes.iter().any(|(changed, _)| *changed == name) {
                form.push((name, default));
            }
        }
        form.extend_from_slice(changes);
        self.post("/admin/destinations", &form).await
    }

    async fn open(&mut self, path: &str) -> Page {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        page
    }
}
