//! The admins' page of rules: names that are picked, what they would allow, and what they lock out.

use fantoccini::key::Key;
use livestream_bot::demo::slack::{EVERYBODY, Role};
use livestream_bot::demo::zoom::SCOPES;
use livestream_bot::demo::{DANA, ELI, GUS, World};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::world::connect;
use crate::{end, world};

/// A phone, a small window, and one with room for two columns.
const WIDTHS: [u32; 3] = [390, 1024, 1440];

impl Browser {
    /// Goes on by the Tab key to what has this id or says this.
    pub(crate) async fn tab_to(&self, what: &str) {
        let focused = "const it = document.activeElement;
            return [it.id, it.textContent.trim(), it.closest('label')?.textContent.trim()]";
        for _ in 0..80 {
            self.press_key(Key::Tab).await;
            let Value::Array(focused) = self.run(focused).await else {
                continue;
            };
            if focused.iter().any(|is| is == what) {
                return;
            }
        }
        panic!("no Tab leads to {what}");
    }

    /// Types where the focus is, and presses Enter.
    pub(crate) async fn enter(&self, text: &str) {
        self.run("document.documentElement.id = 'before'").await;
        let field = self.client.active_element().await.expect("a field");
        field.send_keys(text).await.expect("typed text");
        self.press_key(Key::Enter).await;
        self.wait_for("//html[not(@id='before')]//main").await;
    }

    /// Presses Enter where the focus is, and waits for the next page.
    pub(crate) async fn enter_to_go_on(&self) {
        self.run("document.documentElement.id = 'before'").await;
        self.press_key(Key::Enter).await;
        self.wait_for("//html[not(@id='before')]//main").await;
    }
}

async fn inspect(browser: &Browser, name: &str) {
    browser.inspect_in(&WIDTHS, "", name).await;
}

/// The ids of what is ticked in a list, and of the field that has the focus.
async fn picked(browser: &Browser, list: &str) -> Value {
    let script = format!(
        "const ticked = document.querySelectorAll('[name={list}]:checked');
        return [[...ticked].map((box) => box.value), document.activeElement.id]"
    );
    browser.run(&script).await
}

async fn admin(world: &World) -> Browser {
    world.install("acme").await.expect("an installation");
    for person in [DANA, ELI, GUS] {
        world.link(person, SCOPES).await.expect("a link");
    }
    world.slack.set_person(GUS.slack, Role::Guest);
    world.slack.set_channel(EVERYBODY.channel, 900, false);
    world.slack.set_group("S0HOSTS", &[DANA.slack, ELI.slack]);
    let troubled =
        "update zoom_grant set problem = 'custom_streaming_off' where zoom_user_id = 'zoom-eli'";
    sqlx::raw_sql(troubled)
        .execute(&mut connect(world).await)
        .await
        .expect("an update");
    let browser = Browser::open().await;
    browser
        .goto(&format!("{}/admin/sign-in", world.service))
        .await;
    browser.read("Demo Slack").await;
    browser.click("Ada").await;
    browser.read("Nothing is live.").await;
    browser
}

#[tokio::test]
async fn rules_are_set_by_keyboard_alone() {
    let world = world().await;
    let browser = admin(&world).await;
    browser.emulate(1440, "light").await;
    browser.click("Rules").await;
    browser.read("Rules").await;
    inspect(&browser, "rules").await;
    browser.emulate(1440, "light").await;

    // Enter adds, and nothing is saved; the focus stays where the next name goes.
    browser.tab_to("who-linked").await;
    browser.press_key(Key::Down).await;
    browser.tab_to("people").await;
    browser.enter("dana").await;
    assert_eq!(
        picked(&browser, "people").await,
        json!([["U0DANA"], "people"])
    );
    browser.enter("Elli").await;
    let refused = browser.read("Rules").await;
    assert!(refused.contains("Did you mean Eli?"), "{refused}");
    assert_eq!(
        picked(&browser, "people").await,
        json!([["U0DANA"], "people"])
    );
    inspect(&browser, "rules-unknown-name").await;
    browser.emulate(1440, "light").await;
    browser.run("document.activeElement.select()").await;
    browser.enter("Eli").await;
    assert_eq!(
        picked(&browser, "people").await,
        json!([["U0DANA", "U0ELI"], "people"])
    );
    browser.tab_to("place-anywhere").await;
    browser.press_key(Key::Down).await;
    browser.tab_to("channels").await;
    browser.enter("#town-hall, all-acme").await;
    browser.tab_to("confirm_many").await;
    browser.press_key(Key::Space).await;
    browser.tab_to("Preview").await;
    browser.enter_to_go_on().await;
    let preview = browser.read("Rules").await;
    for part in [
        "Not saved yet",
        "#town-hall; asked first in #all-acme",
        "Allowed, but custom streaming is off in Zoom",
        "Linked, but a guest or from another organisation",
    ] {
        assert!(preview.contains(part), "{part}: {preview}");
    }
    inspect(&browser, "rules-preview").await;
    browser.emulate(1440, "light").await;
    browser.tab_to("Save rules").await;
    browser.enter_to_go_on().await;
    let saved = browser.read("Rules").await;
    assert!(
        saved.contains(
            "Only Dana and Eli can start and stop livestreams, only in #town-hall and #all-acme."
        ),
        "{saved}"
    );
    assert!(saved.contains("As saved"), "{saved}");
    inspect(&browser, "rules-saved").await;
    browser.emulate(1440, "light").await;

    // Whom it locks out is asked first.
    browser.tab_to("Dana").await;
    browser.press_key(Key::Space).await;
    browser.tab_to("Save rules").await;
    browser.enter_to_go_on().await;
    let asked = browser.read("Rules").await;
    assert!(
        asked.contains("Nothing was saved yet: this locks out Dana."),
        "{asked}"
    );
    inspect(&browser, "rules-lock-out").await;
    browser.emulate(1440, "light").await;
    browser.tab_to("Save all the same").await;
    browser.enter_to_go_on().await;
    let saved = browser.read("Rules").await;
    assert!(
        saved.contains("Only Eli can start and stop livestreams"),
        "{saved}"
    );

    // One person, one channel.
    browser.tab_to("may_person").await;
    browser.enter("Gus").await;
    browser.fill("may_channel", "#town-hall").await;
    browser.submit("Tell me").await;
    let told = browser.read("Rules").await;
    assert!(
        told.contains(
            "Guests and people from other organisations can't use /livestream in this workspace."
        ),
        "{told}"
    );
    inspect(&browser, "rules-may").await;
    end(world, browser, &[422, 422]).await;
}
