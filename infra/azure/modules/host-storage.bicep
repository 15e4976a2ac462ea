// The storage account of one app's host: its deployment package and its locks. The other app cannot write it, so
// nobody who holds the public app can replace the code of the one that moves traffic.
param location string
param tags object
param token string
param app string
param grants array
param principals object
param roleIds object
param privateNetworking bool
param subnetId string
param zoneId string

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'st${take(app, 4)}${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetworking ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateNetworking ? 'Deny' : 'Allow'
    }
  }
}

resource service 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: service
  name: 'package'
  properties: { publicAccess: 'None' }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for grant in grants: {
    name: guid(account.id, principals[grant.identity], grant.role)
    scope: account
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
  }
]

module endpoint 'private-endpoint.bicep' = if (privateNetworking) {
  name: 'host-endpoint-${app}'
  params: {
    name: 'pep-host-${app}-${token}'
    location: location
    tags: tags
    subnetId: subnetId
    zoneId: zoneId
    targetId: account.id
    service: 'blob'
  }
}

output name string = account.name
output packageUrl string = 'https://${account.name}.blob.${environment().suffixes.storage}/${package.name}'
