//! The API's description for programs: OpenAPI 3.1, kept by hand; tests compare it with the routes.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

const DOCUMENT: &str = include_str!("openapi.json");

/// `GET openapi.json`, for whoever asks.
pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use serde_json::Value;

    use crate::testing::World;

    const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

    /// Every path with the methods that it has.
    fn described(document: &Value) -> Vec<(String, BTreeSet<String>)> {
        let paths = document["paths"].as_object().unwrap();
        let methods = |of: &Value| {
            let names = of.as_object().unwrap().keys().filter(|key| METHODS.contains(&key.as_str()));
            names.cloned().collect()
        };
        paths.iter().map(|(path, of)| (path.clone(), methods(of))).collect()
    }

    async fn document(world: &World) -> Value {
        let request = Request::get("/api/v1/openapi.json").body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
        answer.json()
    }

    /// The routes themselves say which methods they take, to whoever comes with another.
    #[tokio::test]
    async fn every_path_takes_the_methods_that_the_description_gives_it_and_no_others() {
        let world = World::new();
        for (path, methods) in described(&document(&world).await) {
            let path = path
                .replace("{kind}", "name")
                .replace("{address}", "bob")
                .replace("{id}", "0")
                .replace("{call_id}", "x");
            let answer = world.json("carol", "OPTIONS", &format!("/api/v1{path}"), &Value::Null).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            let allowed = answer.header("allow").to_lowercase();
            let allowed = allowed.split(',').map(str::trim).filter(|method| *method != "head");
            assert_eq!(allowed.map(str::to_owned).collect::<BTreeSet<_>>(), methods, "{path}");
        }
    }

    /// Each route of the router stands in its own source as a text.
    #[tokio::test]
    async fn every_route_is_described() {
        let described = described(&document(&World::new()).await);
        let sources = [
            include_str!("mod.rs"),
            include_str!("../page/session.rs"),
            include_str!("../page/call_events.rs"),
            include_str!("../page/mailbox_events.rs"),
        ];
        let routes = sources.iter().flat_map(|source| source.split(".route(").skip(1));
        let routes: Vec<&str> = routes.map(|route| route.split('"').nth(1).unwrap()).collect();
        assert!(routes.len() > 10, "{routes:?}");
        for route in routes {
            let route = route.strip_prefix("/api/v1").unwrap_or(route);
            assert!(described.iter().any(|(path, _)| path == route), "{route} is not described");
        }
    }

    #[tokio::test]
    async fn every_reference_leads_somewhere() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("$ref").and_then(Value::as_str));
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = document(&World::new()).await;
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
