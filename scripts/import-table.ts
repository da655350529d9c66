/**
 * Which room may import which, and which library lives where, as data. The linter (dependency-cruiser) enforces it, the table of
 * docs/architecture.md is generated from it, and scripts/import-table.test.ts plants a violation per rule.
 */

interface Room {
  readonly name: string;
  /** Files of the room, a regular expression over the path from the root. */
  readonly path: string;
  /** Rooms that it may import besides kernel and itself. */
  readonly mayImport: readonly string[];
  /** Libraries that it may import; `undefined`: any dependency of the project. */
  readonly libraries?: readonly string[];
  /** What no rule can check. */
  readonly note?: string;
}

const PURE: readonly string[] = [];

export const ROOMS: readonly Room[] = [
  { name: 'kernel', path: '^kernel/', mayImport: [], libraries: ['pino'] },
  { name: 'pki', path: '^pki/', mayImport: [], libraries: ['pkijs', 'asn1js'] },
  { name: 'wire-types', path: '^api-specs/', mayImport: [], libraries: PURE },
  {
    name: 'descriptors',
    path: '^descriptors/',
    mayImport: [],
    libraries: ['ajv', 'ajv-formats', 'yaml', 'yauzl', 'yazl', 'semver', 'pkijs', 'croner'],
  },
  { name: 'driver-contract', path: '^vim-drivers/(index|contract|conformance)', mayImport: ['descriptors'] },
  {
    name: 'site-controller',
    path: '^vim-drivers/site-controller/',
    mayImport: ['descriptors', 'driver-contract'],
  },
  { name: 'host-files', path: '^vim-drivers/host-files/', mayImport: [], libraries: PURE },
  {
    name: 'supervision',
    path: '^vim-drivers/supervision/',
    mayImport: ['descriptors', 'driver-contract'],
    libraries: PURE,
  },
  {
    name: 'collection',
    path: '^vim-drivers/collection/',
    mayImport: ['driver-contract', 'wire-types'],
    libraries: PURE,
  },
  {
    name: 'drivers',
    path: '^vim-drivers/(?!site-controller/|host-files/|supervision/|collection/|conformance/)[a-z-]+/',
    mayImport: ['descriptors', 'driver-contract', 'host-files', 'supervision'],
    note: 'never a sibling driver; loaded only when used',
  },
  { name: 'driver-registry', path: '^vim-drivers/registry\\.ts$', mayImport: ['drivers'] },
  {
    name: 'agents',
    path: '^agents/',
    mayImport: [
      'wire-types',
      'descriptors',
      'driver-contract',
      'host-files',
      'site-controller',
      'collection',
      'drivers',
    ],
  },
  { name: 'catalogue-shared', path: '^vnf-catalog/shared/', mayImport: [] },
  { name: 'catalogue-functions', path: '^vnf-catalog/functions/', mayImport: ['catalogue-shared'] },
  { name: 'catalogue-build', path: '^vnf-catalog/[^/]+$', mayImport: ['catalogue-shared', 'descriptors'] },
  {
    name: 'domain',
    path: '^orchestrator/domain/',
    mayImport: ['descriptors', 'driver-contract'],
    libraries: PURE,
  },
  {
    name: 'placement',
    path: '^orchestrator/placement/',
    mayImport: ['domain', 'descriptors', 'driver-contract'],
    libraries: PURE,
    note: 'no I/O, no clock, no randomness of its own',
  },
  { name: 'store', path: '^orchestrator/store/', mayImport: ['domain'] },
  {
    name: 'use-cases',
    path: '^orchestrator/(lifecycle|services|monitoring|inventory|packages|agent-upgrades|diagnostics)/',
    mayImport: [
      'domain',
      'placement',
      'store',
      'descriptors',
      'driver-contract',
      'route',
      'wire-types',
      'use-cases',
    ],
  },
  {
    name: 'scaling-policies',
    path: '^orchestrator/scaling/(policies|replay)/',
    mayImport: ['descriptors'],
    libraries: PURE,
    note: 'no I/O, no clock, no randomness of its own',
  },
  {
    name: 'scaling',
    path: '^orchestrator/scaling/(?!policies/|replay/)',
    mayImport: ['domain', 'store', 'descriptors', 'scaling-policies', 'use-cases', 'route', 'wire-types'],
  },
  {
    name: 'sites',
    path: '^orchestrator/sites/',
    mayImport: [
      'domain',
      'store',
      'descriptors',
      'driver-contract',
      'site-controller',
      'collection',
      'use-cases',
      'route',
      'wire-types',
    ],
    note: 'drivers are handed to it, opened by the composition root',
  },
  {
    name: 'route',
    path: '^orchestrator/api/(route|route-types|range|sol013/[a-z-]+)\\.ts$',
    mayImport: ['domain', 'store'],
    libraries: PURE,
  },
  {
    name: 'api',
    path: '^orchestrator/(api|mco)/',
    mayImport: [
      'domain',
      'store',
      'descriptors',
      'driver-contract',
      'placement',
      'use-cases',
      'wire-types',
      'route',
      'api',
      'pki',
    ],
  },
  {
    name: 'composition-root',
    path: '^orchestrator/(main|index|compose[a-z-]*)\\.ts$',
    mayImport: [
      'domain',
      'store',
      'descriptors',
      'driver-contract',
      'placement',
      'use-cases',
      'scaling',
      'sites',
      'wire-types',
      'route',
      'api',
      'drivers',
      'driver-registry',
      'site-controller',
      'pki',
    ],
  },
  {
    name: 'simulation',
    path: '^simulation/',
    mayImport: [
      'domain',
      'placement',
      'store',
      'use-cases',
      'descriptors',
      'driver-contract',
      'site-controller',
      'drivers',
    ],
    libraries: ['ajv', 'cli-table3'],
    note: 'only the driver `fake`; in no published package',
  },
  {
    name: 'load',
    path: '^load/',
    mayImport: [],
    libraries: PURE,
    note: 'simulated devices: they know a CSE as real ones do',
  },
  {
    name: 'conformance',
    path: '^conformance/',
    mayImport: ['wire-types', 'pki'],
    libraries: ['ajv', 'ajv-formats', 'yaml', 'jose', 'cli-table3', '@nats-io'],
    note: 'a reading of the documents of its own: neither agents nor orchestrator',
  },
  {
    name: 'cli',
    path: '^cli/',
    mayImport: [
      'wire-types',
      'descriptors',
      'scaling-policies',
      'agents',
      'composition-root',
      'load',
      'conformance',
      'pki',
    ],
  },
];

/** The rooms as a table for people (Markdown). */
export function renderRoomTable(): string {
  const rows = ROOMS.map(({ name, path, mayImport, libraries, note }) => {
    const libraryNames = libraries?.join(', ') ?? 'any';
    return `| ${name} | \`${path.replaceAll('|', '\\|')}\` | ${mayImport.join(', ') || '-'} | ${libraryNames || 'none'} | ${note ?? ''} |`;
  });
  return [
    '| room | files | may import (besides kernel) | libraries | also |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

const TESTS = '(\\.test\\.ts$|^test/|testkit|/conformance[^/]*\\.ts$|/conformance/)';
const KERNEL = '^kernel/index\\.ts$';

const room = (name: string): Room => {
  const found = ROOMS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`the import table names an unknown room "${name}"`);
  return found;
};

/** What is in the published package: rooms of the orchestrator, the agents and the command. */
const SHIPPED = '^(kernel|pki|api-specs|descriptors|vim-drivers|agents|orchestrator|load|cli|conformance)/';

/** Folders whose inside is reached only through their index.ts (generated wire types have no inside). */
export const DOORS: readonly string[] = [
  'kernel',
  'pki',
  'descriptors',
  'vim-drivers/[a-z-]+',
  'agents',
  'orchestrator/[a-z-]+',
  'vnf-catalog/shared',
  'load',
  'cli',
  'conformance',
];

export interface CruiseRule {
  readonly name: string;
  readonly severity: 'error';
  readonly comment: string;
  readonly from: Record<string, unknown>;
  readonly to: Record<string, unknown>;
}

/** Rules for dependency-cruiser, one or two for each room and a few for all. */
export function cruiseRules(): CruiseRule[] {
  return [...ROOMS.flatMap(rulesOf), ...doorRules(), ...generalRules()];
}

function rulesOf({ name, path, mayImport, libraries }: Room): CruiseRule[] {
  const allowed = [KERNEL, path, ...mayImport.map((other) => room(other).path)];
  const from = { path, pathNot: TESTS };
  const rules: CruiseRule[] = [
    {
      name: `room-${name}`,
      severity: 'error',
      comment: `${name} may import kernel${mayImport.map((other) => `, ${other}`).join('')} and nothing else of ours`,
      from,
      to: {
        dependencyTypesNot: [
          'core',
          'npm',
          'npm-dev',
          'npm-peer',
          'npm-optional',
          'npm-no-pkg',
          'unknown',
          'undetermined',
        ],
        pathNot: allowed,
      },
    },
  ];
  if (libraries !== undefined) {
    rules.push({
      name: `libraries-${name}`,
      severity: 'error',
      comment: `${name} may import ${libraries.length === 0 ? 'no library' : libraries.join(', ')}`,
      from,
      to: {
        dependencyTypes: ['npm', 'npm-dev'],
        pathNot: libraries.map((library) => `^node_modules/(@types/)?${library}/`),
      },
    });
  }
  return rules;
}

function doorRules(): CruiseRule[] {
  return DOORS.map((door) => ({
    name: `door-${door.replaceAll(/[^a-z]+/g, '-').replace(/-$/, '')}`,
    severity: 'error' as const,
    comment: `what is inside ${door}/ is reached through its index.ts`,
    from: { pathNot: [`^${door}/`, TESTS] },
    to: {
      path: `^${door}/`,
      pathNot: ['/index\\.ts$', '\\.json$', '^orchestrator/api/route\\.ts$', '^cli/main\\.ts$'],
    },
  }));
}

function generalRules(): CruiseRule[] {
  return [
    {
      name: 'no-sibling-driver',
      severity: 'error',
      comment: 'a driver never imports another driver',
      from: {
        path: '^vim-drivers/(?!site-controller|host-files|supervision|collection)([a-z-]+)/',
        pathNot: TESTS,
      },
      to: { path: '^vim-drivers/(?!host-files|supervision)[a-z-]+/', pathNot: '^vim-drivers/$1/' },
    },
    {
      name: 'no-sibling-function',
      severity: 'error',
      comment: 'a catalogue function never imports another one',
      from: { path: '^vnf-catalog/functions/([a-z-]+)/', pathNot: TESTS },
      to: { path: '^vnf-catalog/functions/', pathNot: '^vnf-catalog/functions/$1/' },
    },
    {
      name: 'nobody-imports-main',
      severity: 'error',
      comment: 'the composition root is started, not imported',
      from: { pathNot: ['^cli/', '^orchestrator/index\\.ts$', TESTS] },
      to: { path: '^orchestrator/main\\.ts$' },
    },
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'files do not import each other in a circle',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-development-library',
      severity: 'error',
      comment: 'what is published needs nothing that only development has',
      from: { path: SHIPPED, pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      comment: 'only tests and benchmarks import tests and the test kit',
      from: { pathNot: [TESTS, '^bench/'] },
      to: { path: '(\\.test\\.ts$|^test/)' },
    },
  ];
}
