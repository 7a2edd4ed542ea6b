//! In which order to try what the name service gave: RFC 2782, RFC 3263 4.1.

use rand_core::Rng;

/// A service record: where one kind of service of a domain is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Srv {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: String,
}

/// A naming authority pointer, as far as RFC 3263 uses it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Naptr {
    pub(super) order: u16,
    pub(super) preference: u16,
    pub(super) flags: String,
    pub(super) services: String,
    pub(super) replacement: String,
}

/// RFC 2782: lower priorities first; among equals by lot, in proportion to their weights.
pub(super) fn by_priority_and_weight(mut records: Vec<Srv>, rng: &mut impl Rng) -> Vec<Srv> {
    // Also by the rest, so that the order of an answer, which servers rotate, has no say.
    records.sort();
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let of_priority = records.iter().take_while(|record| record.priority == priority).count();
        // Weight 0 has a chance too, if a small one; the sorting has put it first, as RFC 2782 asks.
        let total: u64 = records.iter().take(of_priority).map(|record| u64::from(record.weight)).sum();
        let drawn = below(total + 1, rng);
        let mut sum = 0;
        let chosen = records.iter().take(of_priority).position(|record| {
            sum += u64::from(record.weight);
            sum >= drawn
        });
        ordered.push(records.remove(chosen.unwrap_or(0)));
    }
    ordered
}

/// A number below `bound`, each as likely as the others but for one in 2^48.
fn below(bound: u64, rng: &mut impl Rng) -> u64 {
    rng.next_u64() % bound.max(1)
}

/// RFC 3403 4.1: by order, then by preference.
pub(super) fn by_order_and_preference(mut pointers: Vec<Naptr>) -> Vec<Naptr> {
    pointers.sort();
    pointers
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5061, target: target.to_owned() }
    }

    fn targets(records: &[Srv]) -> Vec<&str> {
        records.iter().map(|record| record.target.as_str()).collect()
    }

    #[test]
    fn lower_priorities_come_first_whatever_their_weight() {
        for seed in 0..50 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let records = vec![srv(20, 65_535, "later"), srv(10, 0, "first"), srv(30, 1, "last")];
            assert_eq!(targets(&by_priority_and_weight(records, &mut rng)), ["first", "later", "last"]);
        }
    }

    #[test]
    fn equal_priorities_share_the_load_by_weight() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let heavy_first = (0..4_000)
            .filter(|_| {
                let records = vec![srv(1, 25, "light"), srv(1, 75, "heavy")];
                targets(&by_priority_and_weight(records, &mut rng)) == ["heavy", "light"]
            })
            .count();
        assert!((2_880..=3_120).contains(&heavy_first), "{heavy_first} of 4000 instead of about 3000");
    }

    #[test]
    fn weight_zero_is_seldom_first_but_not_never() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let zero_first = (0..4_000)
            .filter(|_| {
                let records = vec![srv(1, 9, "heavy"), srv(1, 0, "zero")];
                targets(&by_priority_and_weight(records, &mut rng)) == ["zero", "heavy"]
            })
            .count();
        assert!((300..=500).contains(&zero_first), "{zero_first} of 4000 instead of about 400");
    }

    #[test]
    fn the_same_seed_gives_the_same_order() {
        let records = || (0..8).map(|n| srv(1, n, &format!("host{n}"))).collect::<Vec<_>>();
        let ordered = |seed| by_priority_and_weight(records(), &mut ChaCha20Rng::seed_from_u64(seed));
        assert_eq!(ordered(7), ordered(7));
        let mut all = ordered(7);
        all.sort();
        assert_eq!(all, records());
    }

    #[test]
    fn no_records_give_no_order() {
        assert_eq!(by_priority_and_weight(Vec::new(), &mut ChaCha20Rng::seed_from_u64(0)), []);
    }

    #[test]
    fn pointers_go_by_order_then_by_preference() {
        let pointer = |order, preference, replacement: &str| Naptr {
            order,
            preference,
            flags: "s".to_owned(),
            services: "SIP+D2T".to_owned(),
            replacement: replacement.to_owned(),
        };
        let ordered =
            by_order_and_preference(vec![pointer(2, 0, "c"), pointer(1, 9, "b"), pointer(1, 3, "a")]);
        assert_eq!(ordered.iter().map(|p| p.replacement.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
