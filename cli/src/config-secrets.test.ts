import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { maskSecrets, readSecretFiles } from "./config-secrets.js";

const schema = z.strictObject({
  name: z.string().optional(),
  sender: z.strictObject({ token: z.string().optional().meta({ isSecret: true }) }).prefault({}),
});

const secretFile = (text: string) => {
  const file = path.join(temporaryDirectory(), "token");
  fs.writeFileSync(file, text);
  return file;
};

it("reads a secret from the file that is named for it, without the last newline", () => {
  const values = { sender: { token_file: secretFile("s3cret\n") } };
  expect(readSecretFiles(schema, values)).toEqual([]);
  expect(values).toEqual({ sender: { token: "s3cret" } });
});

it.each([
  [{ token: "a", token_file: "/b" }, /exclude each other/],
  [{ token_file: 7 }, /must be the path/],
  [{ token_file: "/not/there" }, /ENOENT/],
])("refuses %o", (sender, message) => {
  const [fault] = readSecretFiles(schema, { sender });
  expect(fault?.path).toEqual(["sender", "token_file"]);
  expect(fault?.message).toMatch(message);
});

it("does not take a file for an option that is no secret", () => {
  const values = { name_file: secretFile("x") };
  expect(readSecretFiles(schema, values)).toEqual([]);
  expect(schema.safeParse(values).success).toBe(false);
});

it("masks secrets and nothing else, and leaves the original", () => {
  const values = { name: "n", sender: { token: "s3cret" } };
  expect(maskSecrets(schema, values)).toEqual({ name: "n", sender: { token: "********" } });
  expect(values.sender.token).toBe("s3cret");
});
