import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cruiseRules, DOORS, ROOMS } from './import-table.ts';

/** One file of each room, and for each rule one import that breaks it. */
const SAMPLE: Record<string, string> = {
  kernel: 'kernel/planted.ts',
  pki: 'pki/planted.ts',
  'wire-types': 'api-specs/generated/planted.ts',
  descriptors: 'descriptors/planted.ts',
  'driver-contract': 'vim-drivers/contract-planted.ts',
  'site-controller': 'vim-drivers/site-controller/planted.ts',
  'host-files': 'vim-drivers/host-files/planted.ts',
  supervision: 'vim-drivers/supervision/planted.ts',
  collection: 'vim-drivers/collection/planted.ts',
  drivers: 'vim-drivers/process/planted.ts',
  'driver-registry': 'vim-drivers/registry.ts',
  agents: 'agents/planted.ts',
  'catalogue-shared': 'vnf-catalog/shared/planted.ts',
  'catalogue-functions': 'vnf-catalog/functions/storage/planted.ts',
  'catalogue-build': 'vnf-catalog/planted.ts',
  domain: 'orchestrator/domain/planted.ts',
  placement: 'orchestrator/placement/planted.ts',
  store: 'orchestrator/store/planted.ts',
  'use-cases': 'orchestrator/lifecycle/planted.ts',
  'scaling-policies': 'orchestrator/scaling/policies/planted.ts',
  scaling: 'orchestrator/scaling/planted.ts',
  sites: 'orchestrator/sites/planted.ts',
  route: 'orchestrator/api/route.ts',
  api: 'orchestrator/api/planted.ts',
  'composition-root': 'orchestrator/main.ts',
  simulation: 'simulation/planted.ts',
  load: 'load/planted.ts',
  conformance: 'conformance/planted.ts',
  cli: 'cli/planted.ts',
};
const FOREIGN = 'elsewhere/index.ts';

interface Plant {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

function sampleOf(room: string): string {
  const sample = SAMPLE[room];
  if (sample === undefined) throw new Error(`no sample file for the room ${room}`);
  return sample;
}

const PLANTS: readonly Plant[] = [
  ...ROOMS.map(({ name }) => ({ rule: `room-${name}`, from: sampleOf(name), to: FOREIGN })),
  ...ROOMS.filter(({ libraries }) => libraries !== undefined).map(({ name }) => ({
    rule: `libraries-${name}`,
    from: sampleOf(name),
    to: 'planted-library',
  })),
  ...DOORS.map((door) => ({
    rule: `door-${door.replaceAll(/[^a-z]+/g, '-').replace(/-$/, '')}`,
    from: 'elsewhere/window.ts',
    to: `${door.replace('[a-z-]+', 'process')}/inside.ts`,
  })),
  { rule: 'no-sibling-driver', from: 'vim-drivers/process/sibling.ts', to: 'vim-drivers/docker/index.ts' },
  {
    rule: 'no-sibling-function',
    from: 'vnf-catalog/functions/storage/sibling.ts',
    to: 'vnf-catalog/functions/broker/index.ts',
  },
  { rule: 'nobody-imports-main', from: 'agents/root.ts', to: 'orchestrator/main.ts' },
  { rule: 'no-cycle', from: 'kernel/circle.ts', to: 'kernel/circle.ts' },
  { rule: 'no-development-library', from: 'cli/development.ts', to: 'planted-development-library' },
  { rule: 'nothing-imports-tests', from: 'kernel/tests.ts', to: 'test/kit/planted.ts' },
];

describe('the import table', () => {
  const root = mkdtempSync(join(tmpdir(), 'import-table-'));
  let violations: { rule: { name: string }; from: string }[] = [];

  beforeAll(() => {
    plant(root);
    const config = new URL('../.dependency-cruiser.mjs', import.meta.url).pathname;
    const bin = new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url)
      .pathname;
    const folders = [...new Set(PLANTS.flatMap(({ from }) => from.split('/')[0] ?? []))];
    const run = spawnSync(process.execPath, [bin, '--config', config, '--output-type', 'json', ...folders], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    violations = (JSON.parse(run.stdout) as { summary: { violations: typeof violations } }).summary
      .violations;
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  it.each(PLANTS)('$rule reports the violation planted in $from', ({ rule, from }) => {
    expect(
      violations.filter((violation) => violation.from === from).map((violation) => violation.rule.name),
    ).toContain(rule);
  });

  it('has a planted violation for every rule', () => {
    expect(PLANTS.map(({ rule }) => rule).toSorted()).toEqual(
      cruiseRules()
        .map(({ name }) => name)
        .toSorted(),
    );
  });
});

function plant(root: string): void {
  const imports = new Map<string, string[]>();
  for (const { from, to } of PLANTS) {
    imports.set(from, [...(imports.get(from) ?? []), to]);
    if (to.endsWith('.ts') && !imports.has(to)) imports.set(to, []);
  }
  for (const [file, targets] of imports) {
    const up = '../'.repeat(file.split('/').length - 1);
    const lines = targets.map(
      (to, index) =>
        `import { x as x${index} } from '${to.endsWith('.ts') ? `./${up}${to}` : to}';\nx${index};`,
    );
    write(join(root, file), [...lines, 'export const x = 1;'].join('\n'));
  }
  for (const name of ['planted-library', 'planted-development-library']) {
    const folder = join(root, 'node_modules', name);
    write(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    write(join(folder, 'index.js'), 'exports.x = 1;');
  }
  write(
    join(root, 'package.json'),
    JSON.stringify({
      dependencies: { 'planted-library': '1.0.0' },
      devDependencies: { 'planted-development-library': '1.0.0' },
    }),
  );
  write(
    join(root, 'tsconfig.json'),
    '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true,"noEmit":true}}',
  );
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
