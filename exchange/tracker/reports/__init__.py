"""Reports (báo cáo): each module makes one, as data; how it looks is the caller's."""
