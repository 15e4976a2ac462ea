// The right to ask a subscription which alerts were fired in it: for the sweep, which finds what never arrived.
targetScope = 'subscription'

@description('What is granted on subscriptions: rows of grants.json.')
param grants array
param principals object
param roleIds object

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(subscription().id, principals[grant.identity], grant.role)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', last(split(roleIds[grant.role], '/')))
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]
