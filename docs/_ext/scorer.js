// How the search ranks: what people read comes before the names of the library.
var Scorer = {
  score: ([docname, , , , score]) =>
    score + (docname.startsWith("reference/api") ? -40 : docname === "users" ? 5 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
