//! Who Slack says that somebody is.

use serde_json::Value;

use super::super::super::people::DANA;
use super::super::{CLIENT_ID, CLIENT_SECRET, ENTERPRISE, TEAM};
use super::{REDIRECT, code, slack};

#[tokio::test]
async fn somebody_signs_in_to_the_workspace_that_is_asked_for() {
    let slack = slack().await;
    for (team, signed_in, enterprise) in [
        ("", TEAM, Value::Null),
        ("&team=T0UNKNOWN", TEAM, Value::Null),
        ("&team=T0EAST", "T0EAST", ENTERPRISE.into()),
    ] {
        let url = format!(
            "{}/openid/connect/authorize?client_id={CLIENT_ID}&scope=openid&response_type=code\
             &state=s&nonce=n&redirect_uri={REDIRECT}{team}",
            slack.url()
        );
        let back = slack.sign_in(&url, DANA).await.unwrap();
        let code = code(&back);
        let form = [("code", code.as_str()), ("redirect_uri", REDIRECT)];
        let request = slack
            .http
            .post(format!("{}/api/openid.connect.token", slack.url()));
        let request = request
            .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
            .form(&form);
        let tokens: Value = request.send().await.unwrap().json().await.unwrap();
        let url = format!("{}/api/openid.connect.userInfo", slack.url());
        let request = slack
            .http
            .get(url)
            .bearer_auth(tokens["access_token"].as_str().unwrap());
        let info: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(info["https://slack.com/team_id"], signed_in);
        assert_eq!(info["https://slack.com/enterprise_id"], enterprise);
    }
}
