"""Tables and triggers of the identity store."""

__all__ = ["SCHEMA"]

SCHEMA = """
CREATE TABLE counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;

-- The matcher's numbers and those of identities. Persons split off by hand have none of
-- the matcher's, so the two cannot be the same.
CREATE TABLE matched (matcher_id INTEGER PRIMARY KEY, identity INTEGER NOT NULL UNIQUE);

-- One row for every track of an identity. `found` is whose the matcher says it is. `owner` and
-- `shown` are kept for queries: whose it is after splits by hand, and after merges as well.
CREATE TABLE sightings (
    sighting INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,
    track INTEGER NOT NULL,
    found INTEGER,
    owner INTEGER,
    shown INTEGER,
    first_s REAL NOT NULL,
    last_s REAL NOT NULL,
    frames INTEGER NOT NULL,
    quality REAL NOT NULL,
    UNIQUE (camera, track)
);
CREATE INDEX sightings_by_shown ON sightings (shown, last_s);
CREATE INDEX sightings_by_owner ON sightings (owner);
CREATE INDEX sightings_by_found ON sightings (found);
CREATE INDEX sightings_by_time ON sightings (last_s);
CREATE TABLE thumbnails (sighting INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);

-- `vector` is a unit vector, float32 in the byte order of the machine; `weight` is the sum of
-- the crops' qualities.
CREATE TABLE embeddings (sighting INTEGER PRIMARY KEY, weight REAL NOT NULL, vector BLOB NOT NULL);

-- What the sightings of each shown identity come to; kept up to date with them.
CREATE TABLE people (
    identity INTEGER PRIMARY KEY,
    first_s REAL NOT NULL,
    last_s REAL NOT NULL,
    sightings INTEGER NOT NULL,
    portrait INTEGER NOT NULL
);
CREATE INDEX people_by_time ON people (last_s);
CREATE TABLE changed (identity INTEGER PRIMARY KEY);
-- Not INSERT OR IGNORE: the statement that fires a trigger overrides what that says.
CREATE TRIGGER sighting_added AFTER INSERT ON sightings BEGIN
    INSERT INTO changed SELECT new.shown
        WHERE new.shown NOTNULL AND new.shown NOT IN (SELECT identity FROM changed);
END;
CREATE TRIGGER sighting_changed AFTER UPDATE ON sightings BEGIN
    INSERT INTO changed SELECT old.shown
        WHERE old.shown NOTNULL AND old.shown NOT IN (SELECT identity FROM changed);
    INSERT INTO changed SELECT new.shown
        WHERE new.shown NOTNULL AND new.shown NOT IN (SELECT identity FROM changed);
END;
CREATE TRIGGER sighting_removed AFTER DELETE ON sightings BEGIN
    INSERT INTO changed SELECT old.shown
        WHERE old.shown NOTNULL AND old.shown NOT IN (SELECT identity FROM changed);
    DELETE FROM thumbnails WHERE sighting = old.sighting;
    DELETE FROM embeddings WHERE sighting = old.sighting;
END;

-- Where a track of a calibrated camera was last, and its speed. `path` has x, y and uncertainty, float32 in
-- the byte order of the machine, for each half second since the epoch from `first_slot` on.
CREATE TABLE places (
    sighting INTEGER PRIMARY KEY,
    x_m REAL,
    y_m REAL,
    uncertainty_m REAL,
    speed_m_s REAL,
    first_slot INTEGER NOT NULL,
    path BLOB NOT NULL
);

-- Who is looked for, and by which pictures; `sighting` is where a picture was taken from, if it
-- was.
CREATE TABLE watched (
    watched INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    is_of_folder INTEGER NOT NULL
);
CREATE TABLE watched_pictures (
    picture INTEGER PRIMARY KEY,
    watched INTEGER NOT NULL,
    sighting INTEGER,
    vector BLOB NOT NULL,
    jpeg BLOB NOT NULL
);
-- `expected` is how many false alerts the calibration foretold since the alert before;
-- `is_match` is the operator's answer.
CREATE TABLE alerts (
    event INTEGER PRIMARY KEY,
    time_s REAL NOT NULL,
    watched INTEGER NOT NULL,
    name TEXT NOT NULL,
    camera TEXT NOT NULL,
    track INTEGER NOT NULL,
    similarity REAL NOT NULL,
    expected REAL NOT NULL,
    jpeg BLOB NOT NULL,
    is_match INTEGER
);
-- Who came into a zone or crossed a line inwards, and the other way, by hours since the epoch.
CREATE TABLE zone_counts (
    name TEXT NOT NULL,
    hour INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    exits INTEGER NOT NULL,
    PRIMARY KEY (name, hour)
) WITHOUT ROWID;
-- How long everybody was inside who left in an hour: not who, nor when in that hour.
CREATE TABLE zone_stays (
    hour INTEGER NOT NULL,
    name TEXT NOT NULL,
    dwell_s REAL NOT NULL
);
CREATE INDEX zone_stays_by_hour ON zone_stays (hour);
CREATE TRIGGER place_removed AFTER DELETE ON sightings BEGIN
    DELETE FROM places WHERE sighting = old.sighting;
END;
CREATE TRIGGER watched_removed AFTER DELETE ON watched BEGIN
    DELETE FROM watched_pictures WHERE watched = old.watched;
    DELETE FROM alerts WHERE watched = old.watched;
END;
CREATE TRIGGER alert_removed AFTER DELETE ON sightings BEGIN
    DELETE FROM alerts WHERE camera = old.camera AND track = old.track;
END;
"""
"""Tables that came later, after those of places; a registry without them gets them."""
