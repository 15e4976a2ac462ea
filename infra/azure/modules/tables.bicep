// The storage account of what is true now: the tables, and nothing else. Entra alone opens it.
param location string
param tags object
param token string

@description('What is granted on single tables: rows of grants.json.')
param grants array
param principals object
param roleIds object

@description('Where the log of deletions and writes goes.')
param workspaceId string

@description('Reached from the network only, by a private endpoint in this subnet.')
param privateNetworking bool
param subnetId string
param zoneId string

@description('Nothing here can be deleted before the lock is taken off.')
param lockResources bool

var names = ['state', 'deliveries', 'ledger', 'index']

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'stdata${token}'
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

resource service 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' = [
  for name in names: {
    parent: service
    name: name
  }
]

resource granted 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' existing = [
  for grant in grants: {
    parent: service
    name: grant.name
  }
]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in grants: {
    name: guid(granted[i].id, principals[grant.identity], grant.role)
    scope: granted[i]
    properties: {
      roleDefinitionId: roleIds[grant.role]
      principalId: principals[grant.identity]
      principalType: 'ServicePrincipal'
    }
    dependsOn: [tables]
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: service
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (lockResources) {
  name: 'keep'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Incidents, approvals and the ledger. Take this lock off before a teardown.'
  }
}

module endpoint 'private-endpoint.bicep' = if (privateNetworking) {
  name: 'tables-endpoint'
  params: {
    name: 'pep-tables-${token}'
    location: location
    tags: tags
    subnetId: subnetId
    zoneId: zoneId
    targetId: account.id
    service: 'table'
  }
}

@description('What BACKSTOP_TABLES says.')
output url string = 'https://${account.name}.table.${environment().suffixes.storage}'
