use super::*;
use crate::quiet::{places, zones};

#[test]
fn every_zone_of_the_table_is_in_the_database() {
    for place in places::all() {
        assert!(!place.zones().is_empty(), "{}", place.region);
        for zone in place.zones() {
            assert!(zone.iana_name().is_some());
        }
    }
}

/// Lambda has no zoneinfo.
#[test]
fn the_database_is_in_the_program() {
    let db = format!("{:?}", jiff::tz::db());
    assert!(db.contains("undle"), "{db}");
}

#[test]
fn numbers_are_where_their_country_and_area_code_say() {
    let many =
        "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles";
    for (to, region, zones) in [
        ("+919876543210", "IN", "Asia/Kolkata"),
        ("+442071838750", "GB", "Europe/London"),
        ("+447911123456", "GB", "Europe/London"),
        ("+441481960194", "GG", "Europe/Guernsey"),
        ("+61298765432", "AU", "Australia/Sydney"),
        ("+61733331234", "AU", "Australia/Brisbane"),
        ("+61892345678", "AU", "Australia/Perth"),
        ("+61889812345", "AU", "Australia/Darwin"),
        ("+61882345678", "AU", "Australia/Adelaide Australia/Darwin"),
        ("+12125550123", "US-NY", "America/New_York"),
        ("+16025550123", "US-AZ", "America/Phoenix"),
        ("+18085550123", "US-HI", "Pacific/Honolulu"),
        ("+18505550123", "US-FL", "America/New_York America/Chicago"),
        ("+14165550123", "CA-ON", "America/Toronto"),
        ("+13065550123", "CA-SK", "America/Regina America/Edmonton"),
        ("+18765550123", "JM", "America/Jamaica"),
        ("+18005550199", "US-?", many),
        ("+15005550006", "US-?", many),
        // An area code that is newer than the table.
        ("+19995550123", "US-?", many),
        ("+5511961234567", "BR", "America/Sao_Paulo"),
        ("+5568992345678", "BR", "America/Rio_Branco"),
        ("+526641234567", "MX", "America/Tijuana"),
        ("+74951234567", "RU", "Europe/Moscow"),
        ("+77011234567", "KZ", "Asia/Almaty"),
        ("+62215550123", "ID", "Asia/Jakarta"),
        ("+6281234567890", "ID", "Asia/Jakarta Asia/Makassar Asia/Jayapura"),
        ("+8613812345678", "CN", "Asia/Shanghai"),
    ] {
        let place = places::of(&number(to)).expect(to);
        assert_eq!(place.region, region, "{to}");
        let names: Vec<_> = place.zones().iter().filter_map(TimeZone::iana_name).collect();
        assert_eq!(names.join(" "), zones, "{to}");
    }
    for nowhere in [SATELLITE, "+80012345678", "+88213300655"] {
        assert!(zones::of(&number(nowhere)).as_slice().is_empty(), "{nowhere}");
    }
}

/// The table and libphonenumber agree on countries, for every country it has.
#[test]
fn regions_are_those_of_the_numbering_plans() {
    use rlibphonenumber::{PHONE_NUMBER_UTIL as LIB, PhoneNumberFormat, PhoneNumberType};
    let mut seen = 0;
    for region in LIB.get_supported_regions() {
        for kind in [PhoneNumberType::Mobile, PhoneNumberType::FixedLine] {
            let Ok(example) = LIB.get_example_number_for_type_and_region(region, kind) else {
                continue;
            };
            let e164 = LIB.format(&example, PhoneNumberFormat::E164).into_owned();
            let place = places::of(&number(&e164)).expect(&e164);
            let region = region.as_region_str();
            // Small places within a larger one's numbers, with its clock.
            let shared = [
                "AX", "BL", "BQ", "CC", "CX", "EH", "GG", "IM", "JE", "MF", "SJ", "TA", "VA", "YT",
                "AC",
            ];
            let country = place.region.split('-').next();
            if !shared.contains(&region.as_ref()) {
                assert_eq!(country, Some(region.as_ref()), "{e164}");
            }
            seen += 1;
        }
    }
    assert!(seen > 400, "{seen}");
}
