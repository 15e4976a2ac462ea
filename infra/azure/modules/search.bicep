// The right to read one search service's indexes: health checks ask for the newest document of an index.
param serviceName string

@description('What is granted on search services: rows of grants.json.')
param grants array
param principals object
param roleIds object

resource service 'Microsoft.Search/searchServices@2023-11-01' existing = {
  name: serviceName
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(service.id, principals[grant.identity], grant.role)
    scope: service
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', last(split(roleIds[grant.role], '/')))
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]
