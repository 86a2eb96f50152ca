"""Reports on paper (bản in): a report as DOCX or PDF in the administrative form of Decree 30/2020/NĐ-CP, Annex I.

`compose` and `periodic` make a `page.Form` of ready reports; `pdf` and `word` write one. Nothing is counted here.
"""
