/** The agent's own upgrade: which version runs, how one is tried, and when it is confirmed. */
export { canBecomeProgram, followParent, tellParent } from './handover.ts';
export { openSelfUpgrade } from './open-self-upgrade.ts';
export { openOwnProgram, type OwnProgram } from './program.ts';
export { restartInstalled, startVersion } from './start-version.ts';
