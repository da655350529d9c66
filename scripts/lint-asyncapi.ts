/** Checks every AsyncAPI document of api-specs/; prints what is wrong with which, and fails where anything is. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findAsyncApiFaults } from './asyncapi.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = globSync('api-specs/**/*.asyncapi.yaml', { cwd: root });
if (documents.length === 0) {
  process.stderr.write('there is no AsyncAPI document below api-specs/\n');
  process.exitCode = 1;
}
for (const document of documents) {
  const path = join(root, document);
  const faults = await findAsyncApiFaults(readFileSync(path, 'utf8'), path);
  for (const fault of faults) process.stderr.write(`${document}: ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
  else process.stdout.write(`${document}: valid\n`);
}
