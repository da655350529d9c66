/** The agent's own upgrade: which version runs, how one is tried, and when it is confirmed. */
export { canBecomeProgram, followParent, tellParent } from './handover.ts';
export { openOwnProgram, type OwnProgram } from './program.ts';
export { openSelfUpgrade, type SelfUpgrade, type UpgradeFacts } from './self-upgrade.ts';
export { restartInstalled, startVersion } from './start-version.ts';
