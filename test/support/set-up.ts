import { afterAll } from "vitest";
import { cleanUpFile } from "./clean-up.js";

// Runs before each file, whose imports may be another file's already.
afterAll(cleanUpFile);
