// The arrows of the architecture: which folder may import which. A folder that is not listed may import nothing of ours.
const MAY_IMPORT = {
  domain: [],
  workflows: ['domain'],
  // One factory makes every failure, on both sides of the wire; see docs/decisions/2026-11-23-failures.md.
  activities: ['domain', 'adapters', 'workflows/failures'],
  adapters: ['domain'],
  inventory: [],
  worker: ['domain', 'workflows', 'activities', 'adapters', 'inventory'],
  client: ['domain', 'inventory', 'workflows'],
  lab: [],
  demo: ['lab', 'client', 'domain'],
  // What a campaign goes through is the contract's own list of activities and steps.
  chaos: ['lab', 'client', 'domain', 'activities/catalogue'],
  bin: ['client', 'worker'],
  bench: ['domain', 'client', 'lab', 'chaos/stage'],
  test: [
    'domain',
    'workflows',
    'activities',
    'adapters',
    'inventory',
    'worker',
    'client',
    'lab',
    'demo',
    'chaos',
    'bin',
    'bench',
  ],
};

// Types cost nothing at run time; these may be had as types only.
const TYPES_ONLY = {
  workflows: ['activities/contract', 'activities/watch-contract'],
  lab: ['domain', 'client', 'inventory'],
};

const MAY_USE = {
  domain: [],
  workflows: ['@temporalio/workflow', '@temporalio/common'],
  inventory: ['zod', 'yaml', 'parse-duration'],
};

const folders = Object.keys(MAY_IMPORT);

const arrows = folders.map((folder) => ({
  name: `${folder}-imports`,
  comment: `${folder}/ may import of ours: ${MAY_IMPORT[folder].join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: `^(${folders.join('|')})/`,
    pathNot: [folder, ...MAY_IMPORT[folder]].map((name) => `^${name}(/|\\.)`),
    dependencyTypesNot: TYPES_ONLY[folder] ? ['type-only'] : [],
  },
}));

const typeArrows = Object.entries(TYPES_ONLY).map(([folder, allowed]) => ({
  name: `${folder}-imports-types`,
  comment: `${folder}/ may import types of ours from: ${allowed.join(', ')}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: `^(${folders.join('|')})/`,
    pathNot: [folder, ...MAY_IMPORT[folder], ...allowed].map((name) => `^${name}(/|\\.)`),
    dependencyTypes: ['type-only'],
  },
}));

const packages = Object.entries(MAY_USE).map(([folder, allowed]) => ({
  name: `${folder}-packages`,
  comment: `${folder}/ may use: ${allowed.join(', ') || 'no package'}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: { path: 'node_modules', pathNot: allowed.map((name) => `node_modules/${name}/`) },
}));

module.exports = {
  forbidden: [
    ...arrows,
    ...typeArrows,
    ...packages,
    {
      name: 'pure',
      comment: 'domain/ and workflows/ run in the workflow sandbox: no Node',
      severity: 'error',
      from: { path: '^(domain|workflows)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
