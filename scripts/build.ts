/**
 * Builds dist/: JavaScript of every room, the files that are read at run time, and the packages of the catalogue.
 * What `npm pack` ships; a checkout runs the sources instead.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const ASSETS = [
  'descriptors/schemas/**/*.json',
  'api-specs/**/*.{json,yaml,md}',
  'vim-drivers/**/*.{sh,json}',
  'agents/**/*.json',
];

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(1);
  }
}

rmSync(dist, { recursive: true, force: true });
run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']);
for (const asset of globSync(ASSETS, { cwd: root })) {
  const target = join(dist, asset);
  if (existsSync(target)) continue;
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(root, asset), target, { recursive: true });
}
// JSON is YAML, too. Read as JSON, these documents cost the orchestrator a few MiB at its start; as YAML, 45 MiB that it never gives back.
for (const document of globSync('api-specs/{northbound,mco}/*.yaml', { cwd: dist })) {
  const path = join(dist, document);
  writeFileSync(path, `${JSON.stringify(parse(readFileSync(path, 'utf8')), null, 1)}\n`);
}
run(process.execPath, [join(root, 'vnf-catalog/build-packages.ts'), join(dist, 'vnf-catalog/packages')]);
run(process.execPath, [join(root, 'scripts/build-agent.ts'), join(dist, 'agent')]);
