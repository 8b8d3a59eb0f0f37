mod files;
mod mappings;
mod recipients;
mod round_trip;
