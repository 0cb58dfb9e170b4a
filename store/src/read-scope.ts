/** What a reader may see at all, as the reader's key says; `null` for no limit. */
export interface ReadScope {
  orgId: string | null;
  projectId: string | null;
  agentId: string | null;
}

/** Whom a record belongs to; `""` or `null` for nobody in particular. */
export type Belonging = { [K in keyof ReadScope]: string | null };

/** The scope of a reader whom nothing limits. */
export const EVERYTHING: ReadScope = { orgId: null, projectId: null, agentId: null };

export function isLimited({ orgId, projectId, agentId }: ReadScope): boolean {
  return orgId !== null || projectId !== null || agentId !== null;
}

/** Whether a reader may see what belongs to these. */
export function isInScope(scope: ReadScope, owner: Belonging): boolean {
  return (
    (scope.orgId === null || scope.orgId === owner.orgId) &&
    (scope.projectId === null || scope.projectId === owner.projectId) &&
    (scope.agentId === null || scope.agentId === owner.agentId)
  );
}
