// Roles by name: the built-in ones that grants.json uses, and Backstop's own, which are made here.
targetScope = 'subscription'

@description('Told apart by it: names of custom roles are unique in a tenant.')
param environmentName string

@description('The subscriptions in which the custom roles may be given.')
param subscriptions array

var roles = loadJsonContent('../roles.json')

resource custom 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in roles.custom: {
    name: guid(subscription().id, environmentName, role.name)
    properties: {
      roleName: '${role.name} (${environmentName})'
      description: role.description
      type: 'CustomRole'
      permissions: [
        {
          actions: role.actions
          notActions: []
          dataActions: role.dataActions
          notDataActions: []
        }
      ]
      assignableScopes: map(subscriptions, id => '/subscriptions/${id}')
    }
  }
]

var builtInIds = toObject(
  items(roles.builtIn),
  role => role.key,
  role => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
)

var customIds = toObject(
  roles.custom,
  role => role.name,
  role => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, environmentName, role.name))
)

@description('The id of every role by its name.')
output ids object = union(builtInIds, customIds)
