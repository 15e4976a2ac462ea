// What the executor may do in one Foundry workspace: read it, read and probe the catalog's endpoints, and write
// the traffic of those whose mode lets Backstop move it. Nothing else in the workspace.
param workspaceName string

@description('The endpoints of the catalog in this workspace: name, and whether its mode is approve or automatic.')
param endpoints array

@description('What is granted on workspaces, endpoints and their traffic: rows of grants.json.')
param grants array
param principals object
param roleIds object

var onWorkspace = filter(grants, grant => grant.on == 'foundry')
var pairs = flatten(map(endpoints, endpoint => map(
  filter(grants, grant => grant.on == 'endpoint' || (grant.on == 'endpoint-traffic' && endpoint.write)),
  grant => { endpoint: endpoint.name, identity: grant.identity, role: grant.role }
)))

resource workspace 'Microsoft.MachineLearningServices/workspaces@2024-10-01' existing = {
  name: workspaceName
}

resource workspaceGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in onWorkspace: {
    name: guid(workspace.id, principals[grant.identity], grant.role)
    scope: workspace
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', last(split(roleIds[grant.role], '/')))
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

resource granted 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2024-10-01' existing = [
  for pair in pairs: {
    parent: workspace
    name: pair.endpoint
  }
]

resource endpointGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (pair, i) in pairs: {
    name: guid(granted[i].id, principals[pair.identity], pair.role)
    scope: granted[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', last(split(roleIds[pair.role], '/')))
      principalId: principals[pair.identity]
      principalType: 'ServicePrincipal'
    }
  }
]
