// The right to query the workspace that holds the services' telemetry, wherever it is.
param workspaceName string

@description('What is granted on the workspace: rows of grants.json.')
param grants array
param principals object
param roleIds object

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(workspace.id, principals[grant.identity], grant.role)
    scope: workspace
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', last(split(roleIds[grant.role], '/')))
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]
