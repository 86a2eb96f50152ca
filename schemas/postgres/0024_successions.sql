-- Merged agencies (cơ quan kế thừa): one successor each.
CREATE UNIQUE INDEX agency_succession_predecessor ON agency_succession (predecessor);
