//! Mail programs' own libraries ask the program, as users build it, for messages and for telephone calls.
//!
//! Each script of `interop/clients` is one client's and one subject's; it finds its own way through the services and
//! ends with an error where an answer is not the one it must be. `cargo xtask test clients` installs what they need
//! and names it in the environment.

mod world;

/// Clients in Python.
mod with_python {
    use super::world::World;

    /// zeep: builds what it sends from our descriptions and reads what it gets strictly by our schemas.
    #[test]
    fn zeep_plays_messages_on_the_telephone_by_both_services() {
        let world = World::start();
        world.python("zeep_unified_messaging.py");
        world.python("zeep_exchange.py");
        world.stop();
    }

    /// zeep and libxml2: everything that the Exchange web services say is what our schemas say.
    #[test]
    fn zeep_finds_every_answer_in_the_published_schemas() {
        let world = World::start();
        world.python("zeep_answers.py");
        world.stop();
    }

    /// exchangelib: its own request classes, its own reading of versions and errors.
    #[test]
    fn exchangelib_plays_messages_on_the_telephone() {
        let world = World::start();
        world.python("exchangelib_phone.py");
        world.stop();
    }

    /// libxml2: every answer about folders and items by the schemas that we publish.
    #[test]
    fn every_answer_about_items_is_what_the_schemas_say() {
        let world = World::start();
        world.python("schema_items.py");
        world.stop();
    }

    /// exchangelib: an object for each folder and message, restrictions, synchronisation.
    #[test]
    fn exchangelib_finds_hears_marks_and_deletes_messages() {
        let world = World::start();
        world.python("exchangelib_items.py");
        world.assert_heard();
        world.stop();
    }
}

/// Clients for Node.
mod with_node {
    use super::world::World;

    /// node-ews: fetches our descriptions and builds all that it sends from them.
    #[test]
    fn node_ews_plays_messages_on_the_telephone() {
        let world = World::start();
        world.node("node_ews_phone.mjs");
        world.stop();
    }

    /// ews-javascript-api: Microsoft's own logic.
    #[test]
    fn ews_javascript_api_plays_messages_on_the_telephone() {
        let world = World::start();
        world.node("ews_javascript_api_phone.mjs");
        world.stop();
    }

    /// ews-javascript-api: folders and messages.
    #[test]
    fn ews_javascript_api_finds_hears_marks_and_deletes_messages() {
        let world = World::start();
        world.node("ews_javascript_api_items.mjs");
        world.assert_heard();
        world.stop();
    }
}

/// DavMail, a gateway from IMAP.
mod with_davmail {
    use super::world::World;

    /// DavMail: IMAP for every mail program there is. What is marked there goes out on the telephone's lamp (MWI-1).
    #[test]
    fn davmail_shows_messages_by_imap_and_its_marks_reach_the_lamp() {
        let mut world = World::start();
        world.lamp("alice");
        world.await_lamp(1, 0);
        world.davmail();
        world.imap("davmail_items.py", &[]);
        world.assert_heard();
        world.await_lamp(0, 1);
        world.imap("davmail_items.py", &["delete"]);
        world.await_lamp(0, 0);
        world.stop();
    }
}
