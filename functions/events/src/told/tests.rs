use proptest::prelude::*;

use super::*;

/// The id of second `second`, and one of several of it.
fn id(second: u64, which: u8) -> EventId {
    let mut rest = [0; 10];
    rest[9] = which;
    let it = Builder::from_unix_timestamp_millis(second * 1000, &rest);
    EventId::from_uuid(it.into_uuid())
}

/// A day after all of them.
fn now() -> Timestamp {
    Timestamp::from_second(86_400).expect("valid")
}

fn again(told: &Told) -> Told {
    Told::parse(&told.to_string(), now()).expect("a place")
}

/// Whether it is news at a look that shows nothing else.
fn is_news(told: &mut Told, id: EventId) -> bool {
    let met = Mutex::default();
    let is_news = told.is_news(id, &met);
    told.marks.append(&mut met.into_inner().expect("no panic"));
    is_news
}

#[test]
fn each_event_is_news_once_whatever_the_order_it_is_seen_in() {
    let mut told = Told::upto(id(100, 5));
    // The first look: what is there up to the place the client named is known to it.
    assert!(!is_news(&mut told, id(95, 1)));
    assert!(!is_news(&mut told, id(100, 5)));
    assert!(is_news(&mut told, id(100, 7)));
    told.told([id(100, 7)].into_iter());
    // A second look, of this answer or of the next: one that was committed late is news.
    for mut told in [told.clone(), again(&told)] {
        for known in [id(80, 1), id(95, 1), id(100, 5), id(100, 7)] {
            assert!(!is_news(&mut told, known), "{known}");
        }
        assert!(is_news(&mut told, id(96, 1)));
        told.told([id(96, 1), id(103, 1)].into_iter());
        assert!(!is_news(&mut told, id(96, 1)));
        assert_eq!(told.upto, id(103, 1));
    }
}

#[test]
fn what_is_not_read_any_more_is_not_remembered() {
    let mut told = Told::upto(id(100, 0));
    for second in 101..=200 {
        told.told((0..10).map(|which| id(second, which)));
    }
    assert_eq!(told.marks.len(), 11 * 10);
    assert_eq!(told.upto, id(200, 9));
    assert_eq!(again(&told), told);
}

#[test]
fn a_place_is_an_events_id_and_marks_unless_they_are_too_many() {
    let mut told = Told::upto(id(100, 0));
    assert_eq!(told.to_string(), id(100, 0).to_string());
    told.told(std::iter::empty());
    assert_eq!(told.to_string(), format!("{}~", id(100, 0)));
    told.told((0..=u8::MAX).map(|which| id(101, which)));
    let text = told.to_string();
    assert_eq!(text, id(101, u8::MAX).to_string());
    // All there is up to it counts as told then.
    assert!(!is_news(&mut again(&told), id(101, 3)));
}

#[test]
fn no_place_is_refused() {
    let it = id(100, 1);
    for text in [
        "",
        "x",
        "~",
        &format!("{it}~1"),
        &format!("{it}~zzzzzzzz"),
        &format!("{it}~+0000001"),
    ] {
        let error = Told::parse(text, now()).expect_err(text);
        assert_eq!(error.to_string(), "invalid event ID", "{text}");
    }
    // Further back than 1970.
    let first = EventId::from_uuid(Builder::from_unix_timestamp_millis(0, &[0; 10]).into_uuid());
    Told::parse(&format!("{first}~ffffffff"), now()).expect_err("before all time");
    // Ten seconds are a clock that goes wrong; more is no event's.
    for (second, expected) in [(86_410, true), (86_411, false), (1 << 35, false)] {
        let place = Told::parse(&id(second, 1).to_string(), now());
        assert_eq!(place.is_ok(), expected, "{second}");
    }
}

#[test]
fn rows_that_tell_twice_are_read_again_between_the_two() {
    for last in [0x10, 0x11] {
        let row = id(100, last);
        let twin = EventId::from_uuid(Uuid::from_u128(row.as_uuid().as_u128() ^ 1));
        assert!(beneath(row) < row.min(twin));
        assert_eq!(beneath(row), beneath(twin));
        assert!(beneath(row) > id(100, 0x0f - 1));
        assert_ne!(Mark::of(row), Mark::of(twin));
    }
}

proptest! {
    #[test]
    fn places_come_back_as_they_were(
        made in prop::collection::vec((0_u64..20_000, any::<[u8; 10]>()), 1..200),
    ) {
        let mut told = Told::upto(id(100, 0));
        for (at, rest) in made {
            let it = Builder::from_unix_timestamp_millis(100_000 + at, &rest);
            told.told(std::iter::once(EventId::from_uuid(it.into_uuid())));
        }
        prop_assert_eq!(again(&told), told);
    }

    #[test]
    fn any_text_is_a_place_or_refused(text in ".{0,100}", hex in "[0-9a-f]{0,40}") {
        let _ = Told::parse(&text, now());
        let _ = Told::parse(&format!("{}~{hex}", id(100, 1)), now());
        let _ = Told::parse(&format!("{}~{text}", id(100, 1)), now());
    }
}

#[test]
fn of_two_ids_with_one_mark_the_later_is_news() {
    let first = id(100, 0);
    // Folded, two bits so far apart are none.
    let second = first.as_uuid().as_u128() | 1 << 10 | 1 << (10 + BITS);
    let second = EventId::from_uuid(Uuid::from_u128(second));
    assert!(second > first && Mark::of(second) == Mark::of(first));
    let mut told = Told::upto(id(99, 0));
    told.told([first].into_iter());
    for mut told in [told.clone(), again(&told)] {
        assert!(!is_news(&mut told, first));
        assert!(is_news(&mut told, second));
    }
}
