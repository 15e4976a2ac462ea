// One identity an app: what each may is in grants.json, and no app has another one's.
param location string
param tags object
param token string

var apps = ['responder', 'executor']

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = [
  for app in apps: {
    name: 'id-backstop-${app}-${token}'
    location: location
    tags: tags
  }
]

@description('The object ids by app, which roles are given to.')
output principals object = {
  responder: identities[0].properties.principalId
  executor: identities[1].properties.principalId
}

@description('The client ids by app, by which code asks for tokens.')
output clients object = {
  responder: identities[0].properties.clientId
  executor: identities[1].properties.clientId
}

@description('The resource ids by app.')
output ids object = {
  responder: identities[0].id
  executor: identities[1].id
}
