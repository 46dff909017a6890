// Begins the page: each change of the feed renews what it shows.

import { startControl, showControl } from "./control.js";
import { start } from "./feed.js";
import { showInverters } from "./inverters.js";
import { showLetters } from "./letters.js";
import { showPipeline } from "./pipeline.js";
import { showProblems } from "./problems.js";
import { showReadings, startReadings } from "./readings.js";
import { showSummary } from "./summary.js";
import { showTables } from "./tables.js";

function show() {
  showSummary();
  showPipeline();
  showProblems();
  showReadings();
  showInverters();
  showTables();
  showLetters();
  showControl();
}

startReadings();
startControl();
addEventListener("resize", showPipeline);
start(show);
