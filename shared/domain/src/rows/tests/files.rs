use crate::rows::{FileError, Table, decode};

fn read(bytes: &[u8]) -> Result<Table, FileError> {
    Table::read(&decode(bytes)?, 1_000)
}

fn check(bytes: &[u8], header: &[&str], rows: &[(u32, &[&str])]) {
    let table = read(bytes).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(bytes)));
    assert_eq!(table.header, header);
    let found: Vec<(u32, Vec<&str>)> = table
        .rows
        .iter()
        .map(|row| (row.line, row.cells.iter().map(String::as_str).collect()))
        .collect();
    let expected: Vec<(u32, Vec<&str>)> =
        rows.iter().map(|(line, cells)| (*line, cells.to_vec())).collect();
    assert_eq!(found, expected, "{}", String::from_utf8_lossy(bytes));
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn a_file_is_read_in_whatever_a_spreadsheet_saves() {
    let text = "phone,name\n+61412345678,Zoë\n";
    let rows: &[(u32, &[&str])] = &[(2, &["+61412345678", "Zoë"])];
    let header = &["phone", "name"];
    check(text.as_bytes(), header, rows);
    check(format!("\u{feff}{text}").as_bytes(), header, rows);
    check(text.replace('\n', "\r\n").as_bytes(), header, rows);
    check(text.replace('\n', "\r").as_bytes(), header, rows);
    check(text.trim_end().as_bytes(), header, rows);
    for marked in [text.to_owned(), format!("\u{feff}{text}")] {
        check(&utf16(&marked, u16::to_le_bytes), header, rows);
        check(&utf16(&marked, u16::to_be_bytes), header, rows);
    }
    check(b"phone,name\n+61412345678,Zo\xeb\n", header, rows);
    let quotes = b"phone,name\n+61412345678,\x93Zo\xeb\x94 \x96 \x80\n";
    check(quotes, header, &[(2, &["+61412345678", "“Zoë” – €"])]);
    let hindi = "phone,name\n+919876543210,अदा\n";
    check(&utf16(hindi, u16::to_le_bytes), header, &[(2, &["+919876543210", "अदा"])]);
}

#[test]
fn the_separator_is_the_one_of_the_header() {
    for separator in [",", ";", "\t", "|"] {
        let text = "phone_name_city\n0412_Ada_Pune".replace('_', separator);
        check(text.as_bytes(), &["phone", "name", "city"], &[(2, &["0412", "Ada", "Pune"])]);
    }
    check(b"\"name, first\";phone\nx;1,5", &["name, first", "phone"], &[(2, &["x", "1,5"])]);
    check(b"phone\n123", &["phone"], &[(2, &["123"])]);
    check(b"sep=;\r\nphone;a,b\r\n1;2", &["phone", "a,b"], &[(3, &["1", "2"])]);
    check(
        b"\"multi\nline, name\"|phone\na|b",
        &["multi\nline, name", "phone"],
        &[(3, &["a", "b"])],
    );
}

#[test]
fn lines_are_those_that_an_editor_shows() {
    for end in ["\n", "\r\n", "\r"] {
        let text = concat!(
            "_phone,note_",          // 1 blank, 2 header
            "1,\"two_lines\"_",      // 3, 4
            "2,x__",                 // 5, 6 blank
            ",_ , _",                // 7, 8 blank
            "3,\"a \"\"b\"\", c\"_", // 9
            "_4,y",                  // 10 blank, 11
        )
        .replace('_', end);
        // A file with carriage returns alone is read as one with line feeds.
        let two_lines = format!("two{end}lines").replace("o\rl", "o\nl");
        check(
            text.as_bytes(),
            &["phone", "note"],
            &[
                (3, &["1", &two_lines]),
                (5, &["2", "x"]),
                (9, &["3", "a \"b\", c"]),
                (11, &["4", "y"]),
            ],
        );
    }
}

#[test]
fn empty_columns_at_the_edge_are_no_columns() {
    check(
        b"phone,name,,\n1,a,,\n2,b\n3,c,,x\n4",
        &["phone", "name"],
        &[(2, &["1", "a"]), (3, &["2", "b"]), (4, &["3", "c", "", "x"]), (5, &["4"])],
    );
    check(b" phone , name \n 1 ,", &["phone", "name"], &[(2, &[" 1 ", ""])]);
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let long = format!("phone,name\n1,\"a\n{}", "2,b\n".repeat(20));
    let swallowed = format!("phone,name\n1,\"a\n{}3,\"c\"\n", "2,b\n".repeat(200));
    let huge = format!("phone,name\n1,{}\n", "x".repeat(70_000));
    let cases: &[(&[u8], FileError)] = &[
        (b"", FileError::Empty),
        (b"\xef\xbb\xbf", FileError::Empty),
        (b"\xff\xfe", FileError::Empty),
        (b" \r\n\t\n", FileError::Empty),
        (b",,\n,,\n", FileError::Empty),
        (b"phone,name\n", FileError::NoRows),
        (b"phone,name\n,\n\n", FileError::NoRows),
        (b"+61412345678,Ada\n+61412345679,Bob\n", FileError::MissingHeader),
        (b"Ada;0412 345 678\n", FileError::MissingHeader),
        (b"9.19876E+11\n919876543210\n", FileError::MissingHeader),
        (b"phone,,name\n1,2,3\n", FileError::UnnamedColumn { column: 2 }),
        (b"phone,Phone \n1,2\n", FileError::DuplicateColumn { name: "Phone".to_owned() }),
        (
            b"PK\x03\x04\x14\0\x06\0",
            FileError::OtherFormat { what: "an Excel workbook or a zip archive" },
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", FileError::OtherFormat { what: "an old Excel workbook" }),
        (b"%PDF-1.7", FileError::OtherFormat { what: "a PDF" }),
        (b"a,b\n\0\0\0,x\n", FileError::OtherFormat { what: "a binary file" }),
        (b"phone\n\x81\x8d\x90\n", FileError::Undecodable { line: None }),
        (
            b"phone,name\n1,Zo\xc3\xab\n2,\xc3\x89v\xc3\xa9\n3,x\xff\n",
            FileError::Undecodable { line: Some(4) },
        ),
        (b"\xff\xfea\0b", FileError::Undecodable { line: None }),
        (long.as_bytes(), FileError::UnclosedQuote { line: 2 }),
        (swallowed.as_bytes(), FileError::UnclosedQuote { line: 2 }),
        (huge.as_bytes(), FileError::UnclosedQuote { line: 2 }),
        (b"\"phone,name\n1,2", FileError::UnclosedQuote { line: 1 }),
    ];
    for (bytes, expected) in cases {
        assert_eq!(read(bytes).as_ref(), Err(expected), "{}", String::from_utf8_lossy(bytes));
        assert!(expected.to_string().ends_with('.'), "{expected}");
    }
    let text = "phone\n1\n2\n3\n";
    assert!(Table::read(text, 3).is_ok());
    assert_eq!(Table::read(text, 2), Err(FileError::TooManyRows { limit: 2 }));
}

#[test]
fn a_header_of_thousands_of_columns_is_refused_before_they_are_compared() {
    let text = |columns: usize| {
        let names: Vec<String> = (0..columns).map(|n| format!("c{n}")).collect();
        format!("{}\n1", names.join(","))
    };
    assert!(Table::read(&text(500), 9).is_ok());
    let expected = FileError::TooManyColumns { columns: 10_000, limit: 500 };
    assert_eq!(Table::read(&text(10_000), 9), Err(expected));
}

#[test]
fn codes_are_the_ones_of_the_contract() {
    for (error, code) in [
        (FileError::Empty, "empty_file"),
        (FileError::NoRows, "empty_file"),
        (FileError::MissingHeader, "missing_header"),
        (FileError::TooManyRows { limit: 1 }, "too_many_rows"),
        (FileError::TooManyColumns { columns: 2, limit: 1 }, "too_many_columns"),
        (FileError::OtherFormat { what: "a PDF" }, "not_csv"),
        (FileError::UnclosedQuote { line: 1 }, "not_csv"),
        (FileError::Undecodable { line: None }, "undecodable"),
    ] {
        assert_eq!(error.code(), code);
    }
}
