-- Rows of proxy are written with every acknowledgement, and are as wide as a page has room for eight. With room left on each
-- page the new version of a row goes beside the old one, and no index has to hear of it.
ALTER TABLE proxy SET (fillfactor = 50);
