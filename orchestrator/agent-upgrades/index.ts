/** Upgrades of the agents themselves: their programs, and how these come to hosts in waves. */
export { createAgentReleases, type AgentReleases } from './agent-releases.ts';
export { createAgentUpgrades, type AgentUpgrades } from './agent-upgrades.ts';
export { agentUpgradeRoutes } from './routes.ts';
export { createUpgradeEngine, type UpgradeEngine } from './upgrade-engine.ts';
