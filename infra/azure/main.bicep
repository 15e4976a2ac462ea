// All that Backstop is in Azure, in one resource group; and, outside it, only rights: on the Foundry endpoints
// of the catalog and on the alerts of their subscriptions. `azd up` deploys it: docs/deploy.md.
targetScope = 'subscription'

@description('The name of the azd environment; resources are named and tagged by it.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('The region of everything here.')
param location string

@description('Client id and object id of the app registration that infra/azure/entra.py makes.')
param audience string
param audienceObjectId string

@description('Who deploys: object id in Entra. May fill in secrets; empty for nobody.')
param deployerId string = ''

@description('Where people reach the responder, where that is not its own address.')
param publicUrl string = ''

@description('Private endpoints, and both apps in a network. Service Bus becomes Premium.')
param privateNetworking bool = false

@description('With private networking: who may reach the responder and deploy, CIDR, separated by commas.')
param allowedNetworks string = ''

@description('The address range of the network, /23 at least.')
param addressPrefix string = '10.71.0.0/23'

@description('Service Bus without private networking.')
@allowed(['Standard', 'Premium'])
param busSku string = 'Standard'

@description('Instances that are kept warm: for the webhook and the pages, and for the commands of each app.')
@minValue(0)
param alwaysReadyHttp int = 1
@minValue(0)
param alwaysReadyWork int = 1

@description('Requests that one instance of the responder answers side by side; Azure gives Python one.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('The most instances of an app.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Memory of an instance of either app.')
@allowed([512, 2048, 4096])
param memoryMB int = 2048

@description('The ARM id of a Log Analytics workspace in this region that has the services\' telemetry; empty to make one.')
param existingWorkspaceId string = ''

@description('How long telemetry is kept in a workspace that is made here, days.')
param logsRetentionDays int = 90

@description('How long evidence can be neither changed nor deleted, days.')
@minValue(184)
param immutableDays int = 184

@description('Say so once the immutability policies are locked.')
param immutabilityLocked bool = false

@description('Whether data, evidence and vaults are locked against deletion.')
param lockResources bool = true

@description('A monthly budget in the subscription\'s currency; 0 for none.')
@minValue(0)
param budgetAmount int = 0

@description('Who is told of the budget: addresses, separated by commas.')
param budgetContacts string = ''

@description('The month from which the budget counts, yyyy-MM-01, which Azure never changes: a deployment tells it to the next. Empty for this month.')
param budgetStart string = ''
param thisMonth string = utcNow('yyyy-MM-01')

@description('Whether a plain webhook is posted to where the pager does not answer: the secret pager-fallback-url.')
param pagerFallback bool = false

@description('Whether the activity log of every subscription that is watched goes to the workspace; else send it there yourself.')
param activityLog bool = true

@description('Who is told that Backstop itself stands still: addresses, separated by commas; the owners where there are none.')
param watchContacts string = ''

@description('Search services whose indexes health checks ask: ARM ids, separated by commas.')
param searchServices string = ''

var grants = loadJsonContent('grants.json').grants
var catalog = loadJsonContent('generated/services.json')
var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var networks = empty(allowedNetworks) ? [] : split(replace(allowedNetworks, ' ', ''), ',')
var searchIds = empty(searchServices) ? [] : split(replace(searchServices, ' ', ''), ',')
var watchers = empty(watchContacts) ? [] : split(replace(watchContacts, ' ', ''), ',')
var contacts = empty(budgetContacts) ? [] : split(replace(budgetContacts, ' ', ''), ',')

// The example services of the catalog stand in subscriptions that do not exist.
var workspaces = filter(catalog.workspaces, one => !startsWith(one.subscription, '00000000-0000-0000-0000-'))
var subscriptions = filter(catalog.subscriptions, id => !startsWith(id, '00000000-0000-0000-0000-'))
var everySubscription = union([subscription().subscriptionId], subscriptions)
var budgetFrom = empty(budgetStart) ? thisMonth : budgetStart

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-backstop-${environmentName}'
  location: location
  tags: tags
}

module roles 'modules/roles.bicep' = {
  name: 'backstop-roles'
  params: { environmentName: environmentName, subscriptions: everySubscription }
}

module identities 'modules/identities.bicep' = {
  scope: group
  name: 'identities'
  params: { location: location, tags: tags, token: token }
}

module network 'modules/network.bicep' = {
  scope: group
  name: 'network'
  params: {
    location: location
    tags: tags
    token: token
    enabled: privateNetworking
    addressPrefix: addressPrefix
  }
}

module telemetry 'modules/telemetry.bicep' = {
  scope: group
  name: 'telemetry'
  params: {
    location: location
    tags: tags
    token: token
    retentionDays: logsRetentionDays
    existingWorkspaceId: existingWorkspaceId
    grants: filter(grants, grant => grant.on == 'insights')
    principals: identities.outputs.principals
    roleIds: roles.outputs.ids
  }
}

module workspaceAccess 'modules/workspace-access.bicep' = {
  scope: resourceGroup(
    empty(existingWorkspaceId) ? subscription().subscriptionId : split(existingWorkspaceId, '/')[2],
    empty(existingWorkspaceId) ? group.name : split(existingWorkspaceId, '/')[4]
  )
  name: 'backstop-${environmentName}-workspace'
  params: {
    workspaceName: telemetry.outputs.workspaceName
    grants: filter(grants, grant => grant.on == 'workspace')
    principals: identities.outputs.principals
    roleIds: roles.outputs.ids
  }
}

module tables 'modules/tables.bicep' = {
  scope: group
  name: 'tables'
  params: {
    location: location
    tags: tags
    token: token
    grants: filter(grants, grant => grant.on == 'table')
    principals: identities.outputs.principals
    roleIds: roles.outputs.ids
    workspaceId: telemetry.outputs.workspaceId
    privateNetworking: privateNetworking
    subnetId: network.outputs.subnets.endpoints
    zoneId: network.outputs.zones.table
    lockResources: lockResources
  }
}

module evidence 'modules/evidence.bicep' = {
  scope: group
  name: 'evidence'
  params: {
    location: location
    tags: tags
    token: token
    grants: filter(grants, grant => grant.on == 'container')
    principals: identities.outputs.principals
    roleIds: roles.outputs.ids
    workspaceId: telemetry.outputs.workspaceId
    privateNetworking: privateNetworking
    subnetId: network.outputs.subnets.endpoints
    zoneId: network.outputs.zones.blob
    lockResources: lockResources
    immutableDays: immutableDays
    immutabilityLocked: immutabilityLocked
    copiesDays: loadJsonContent('retention.json').copiesDays
  }
}

module bus 'modules/bus.bicep' = {
  scope: group
  name: 'bus'
  params: {
    location: location
    tags: tags
    token: token
    sku: privateNetworking ? 'Premium' : busSku
    grants: filter(grants, grant => grant.on == 'topic' || grant.on == 'subscription')
    principals: identities.outputs.principals
    roleIds: roles.outputs.ids
    workspaceId: telemetry.outputs.workspaceId
    privateNetworking: privateNetworking
    subnetId: network.outputs.subnets.endpoints
    zoneId: network.outputs.zones.namespace
  }
}

module apps 'modules/apps.bicep' = {
  scope: group
  name: 'apps'
  params: {
    location: location
    tags: tags
    token: token
    grants: grants
    identities: {
      ids: identities.outputs.ids
      clients: identities.outputs.clients
      principals: identities.outputs.principals
    }
    roleIds: roles.outputs.ids
    addresses: {
      tables: tables.outputs.url
      blobs: evidence.outputs.url
      bus: bus.outputs.hostName
      logs: telemetry.outputs.workspaceCustomerId
      insights: telemetry.outputs.insightsConnectionString
    }
    workspaceId: telemetry.outputs.workspaceId
    audience: audience
    deployerId: deployerId
    publicUrl: publicUrl
    pagers: catalog.pagers
    pagerFallback: pagerFallback
    privateNetworking: privateNetworking
    subnets: network.outputs.subnets
    zones: network.outputs.zones
    allowedNetworks: networks
    lockResources: lockResources
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyWork: alwaysReadyWork
    httpConcurrency: httpConcurrency
    maximumInstances: maximumInstances
    memoryMB: memoryMB
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    location: location
    tags: tags
    environmentName: environmentName
    workspaceId: telemetry.outputs.workspaceId
    responderUrl: apps.outputs.responderUrl
    audience: audience
    audienceObjectId: audienceObjectId
  }
}

module watchdog 'modules/watchdog.bicep' = {
  scope: group
  name: 'watchdog'
  params: {
    location: location
    tags: tags
    environmentName: environmentName
    workspaceId: telemetry.outputs.workspaceId
    apps: [
      { app: 'responder', site: apps.outputs.responderName }
      { app: 'executor', site: apps.outputs.executorName }
    ]
    contacts: watchers
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: {
    location: location
    tags: tags
    environmentName: environmentName
    workspaceId: telemetry.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0) {
  scope: group
  name: 'budget'
  params: { amount: budgetAmount, startDate: budgetFrom, contacts: contacts }
}

module foundry 'modules/foundry.bicep' = [
  for (one, i) in workspaces: {
    scope: resourceGroup(one.subscription, one.group)
    name: 'backstop-${environmentName}-foundry-${i}'
    params: {
      workspaceName: one.workspace
      endpoints: one.endpoints
      grants: filter(grants, grant => grant.identity == 'executor')
      principals: identities.outputs.principals
      roleIds: roles.outputs.ids
    }
  }
]

module search 'modules/search.bicep' = [
  for (id, i) in searchIds: {
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    name: 'backstop-${environmentName}-search-${i}'
    params: {
      serviceName: last(split(id, '/'))
      grants: filter(grants, grant => grant.on == 'search')
      principals: identities.outputs.principals
      roleIds: roles.outputs.ids
    }
  }
]

module firedAlerts 'modules/fired-alerts.bicep' = [
  for id in everySubscription: {
    scope: subscription(id)
    name: 'backstop-${environmentName}-fired-alerts'
    params: {
      grants: filter(grants, grant => grant.on == 'fired-alerts')
      principals: identities.outputs.principals
      roleIds: roles.outputs.ids
    }
  }
]

module activity 'modules/activity-log.bicep' = [
  for id in everySubscription: if (activityLog) {
    scope: subscription(id)
    name: 'backstop-${environmentName}-activity-log'
    params: { environmentName: environmentName, workspaceId: telemetry.outputs.workspaceId }
  }
]

output AZURE_LOCATION string = location
output BACKSTOP_RESOURCE_GROUP string = group.name
output BACKSTOP_RESPONDER_URL string = apps.outputs.responderUrl
output BACKSTOP_RESPONDER_NAME string = apps.outputs.responderName
output BACKSTOP_EXECUTOR_NAME string = apps.outputs.executorName
output BACKSTOP_RESPONDER_VAULT string = apps.outputs.responderVault
output BACKSTOP_EXECUTOR_VAULT string = apps.outputs.executorVault
output BACKSTOP_EXECUTOR_PRINCIPAL string = identities.outputs.principals.executor
output BACKSTOP_EVIDENCE_ACCOUNT string = evidence.outputs.accountName
output BACKSTOP_ACTION_GROUP string = alerts.outputs.actionGroupId
output BACKSTOP_BUDGET_START string = budgetAmount > 0 ? budgetFrom : ''

// What `make doctor` reads to look at the deployment, named as the apps' own settings.
output BACKSTOP_BLOBS string = evidence.outputs.url
output BACKSTOP_BUS__fullyQualifiedNamespace string = bus.outputs.hostName
output BACKSTOP_LOGS_WORKSPACE string = telemetry.outputs.workspaceCustomerId
output BACKSTOP_PUBLIC_URL string = empty(publicUrl) ? apps.outputs.responderUrl : publicUrl
output BACKSTOP_SIGNING_KEY string = apps.outputs.signingKey
output BACKSTOP_SUBSCRIPTION string = subscription().subscriptionId
output BACKSTOP_TABLES string = tables.outputs.url
