//! The OpenAPI document is what the API does.

use carillon_tests::World;

#[tokio::test]
async fn the_document_and_its_page_are_open_to_everybody() {
    let world = World::start().await;
    for (path, kind) in [
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/style.css", "text/css; charset=utf-8"),
    ] {
        let answer = carillon_tests::Answer::to(world.http().get(format!("{}{path}", world.url)));
        let answer = answer.await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}
